import pytest
from agents import RIGHT, one_call

from flowreasoner import design
from flowreasoner.designers.written_tests import usable_asserts
from flowreasoner.errors import QueryError
from flowreasoner.events import TestsWritten
from flowreasoner.models import FunctionModel, ScriptedModel

WRITTEN = (
    "```python\nassert add(1, 2) == 3\nprint('x')\nassert other(1)\nassert add(0, 0) == 0\nassert add(0, 0) == 0\n```"
)


def _worker(tests=WRITTEN):
    def answer(request):
        return tests if request.purpose == "WriteTests" else f"```python\n{RIGHT}\n```"

    return FunctionModel(answer)


async def test_a_query_without_tests_gets_tests_of_the_worker_and_says_so():
    events = []
    result = await design(
        "Write add(a, b).", meta_agent=ScriptedModel([one_call()]), worker=_worker(), observers=[events.append]
    )
    assert result.query.policy == result.to_json()["tests"] == "written"
    assert result.query.entry_point == "add"
    assert result.query.test_cases() == ["assert add(1, 2) == 3", "assert add(0, 0) == 0"]
    assert next(event for event in events if isinstance(event, TestsWritten)).tests == tuple(result.query.test_cases())
    assert result.score == 1.0
    assert result.cost.model_calls == 5


async def test_tests_that_cannot_be_used_are_an_error_with_the_remedy():
    with pytest.raises(QueryError, match="wrote none that can be used; give tests in the query file, a command"):
        await design("p", meta_agent=ScriptedModel([one_call()]), worker=_worker("```python\nx = 1\n```"))
    with pytest.raises(QueryError, match=r"wrote none that can be used.*no Python code"):
        await design("p", meta_agent=ScriptedModel([one_call()]), worker=_worker("I would rather not."))


@pytest.mark.parametrize(
    ("code", "entry_point", "found"),
    [
        ("assert f(1) == 1", "", ["assert f(1) == 1"]),
        ("assert sorted(f(1)) == [1]\nassert g(2)", "", ["assert sorted(f(1)) == [1]"]),
        ("assert g(2) == 2", "f", []),
        ("assert 1 == 1", "", []),
        ("assert (", "f", []),
        ("assert f(1) == 1, 'message'", "f", ["assert f(1) == 1"]),
        ("for x in y:\n    assert f(x)", "f", []),
    ],
)
def test_only_plain_asserts_on_the_function_are_used(code, entry_point, found):
    assert usable_asserts(code, entry_point) == found


def test_no_more_than_eight_are_used():
    assert len(usable_asserts("\n".join(f"assert f({number}) == 1" for number in range(20)), "f")) == 8
