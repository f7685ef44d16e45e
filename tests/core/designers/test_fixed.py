from dataclasses import replace

import pytest
from agents import ADD, RIGHT, WRONG, coder
from arenas import NO_ANSWER, ONE
from fake_sandbox import FakeSandbox

from flowreasoner.designers import FixedWorkflow, NoJournal, Workbench
from flowreasoner.errors import NoAnswer
from flowreasoner.events import DesignEnded, DesignStarted, RoundEnded, RoundStarted
from flowreasoner.models import FunctionModel


class Journal(NoJournal):
    def __init__(self):
        self.kept = []

    def keep(self, finished):
        self.kept.append(finished)


def bench(worker, **settings):
    return Workbench(worker, worker, FakeSandbox(lambda code: code == RIGHT), **settings)


async def test_it_runs_its_workflow_once_and_reports_like_any_designer():
    events, journal = [], Journal()
    design = await FixedWorkflow(ONE, name="plain").design(
        ADD, bench(coder(RIGHT), journal=journal, observers=(events.append,))
    )
    assert (design.score, design.hidden_passed, len(design.rounds), design.stopped) == (1.0, True, 1, "perfect")
    assert design.rounds[0].modification == "plain, as it is"
    kinds = [
        type(event) for event in events if isinstance(event, DesignStarted | RoundStarted | RoundEnded | DesignEnded)
    ]
    assert kinds == [DesignStarted, RoundStarted, RoundEnded, DesignEnded]
    assert [item.number for item in journal.kept] == [1]
    assert design.cost.model_calls == 1


async def test_it_goes_on_until_it_is_perfect_where_it_may():
    replies = iter([WRONG, RIGHT, WRONG])
    worker = FunctionModel(lambda _: f"```python\n{next(replies)}\n```")
    design = await FixedWorkflow(ONE, rounds=3).design(ADD, bench(worker))
    assert ([item.score for item in design.rounds], design.best.number) == ([0.0, 1.0], 2)


async def test_no_answer_is_an_error_that_says_why():
    with pytest.raises(NoAnswer, match=r"^no answer: .*KeyError"):
        await FixedWorkflow(NO_ANSWER).design(ADD, bench(coder(RIGHT)))


async def test_a_query_without_tests_gets_some():
    worker = FunctionModel(
        lambda request: (
            "```python\nassert add(1, 2) == 3\n```" if request.purpose == "WriteTests" else f"```python\n{RIGHT}\n```"
        )
    )
    design = await FixedWorkflow(ONE).design(replace(ADD, feedback=None, hidden=None), bench(worker))
    assert (design.query.policy, design.score) == ("written", 1.0)
