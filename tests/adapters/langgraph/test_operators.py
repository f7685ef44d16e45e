"""Operators on a LangChain model and the sandbox: what is asked, what is read, what is run."""

import random

import pytest

pytest.importorskip("langgraph")
from fake_chat import FakeChat, workflow_of
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from flowreasoner.errors import ModelError, OperatorError
from flowreasoner.sandbox import Suite
from flowreasoner_adapters.langgraph import LangGraphBackend, Operators

NOTHING = {"entry_point": "", "test_cases": []}
RIGHT = "def f(x):\n    return 2 * x\n"
WRONG = "def f(x):\n    return 3 * x\n"
CASES = ["assert f(1) == 2", "assert f(2) == 4"]


def scripted(*answers):
    return GenericFakeChatModel(messages=iter([AIMessage(answer) for answer in answers]))


async def perform(model, name, feedback=NOTHING, **inputs):
    return await Operators(model).perform(name, inputs, feedback, "label")


async def test_custom_asks_instruction_and_input():
    model = FakeChat()
    given = {"input": "the input", "instruction": "Do.", "role": ""}
    assert await perform(model, "Custom", **given) == {"response": "<Do. the input>"}
    assert model.prompts == ["Do.\n\nthe input"]


async def test_fields_are_read_from_the_reply():
    result = await perform(FakeChat(), "Review", problem="p", solution="s")
    assert result["review_result"] is True
    assert "p" in result["feedback"]


async def test_an_unreadable_reply_is_asked_for_once_more():
    good = "<review_result>false</review_result><feedback>fix it</feedback>"
    result = await perform(scripted("no tags here", good), "Review", problem="p", solution="s")
    assert result == {"review_result": False, "feedback": "fix it"}
    with pytest.raises(OperatorError, match="the reply to Review cannot be read"):
        await perform(scripted("none", "none again"), "Review", problem="p", solution="s")


async def test_an_ensemble_of_equal_solutions_asks_nobody():
    assert await perform(None, "ScEnsemble", solutions=["a", "a"], problem="p") == {"response": "a"}


async def test_an_ensemble_chooses_by_letter():
    reply = "<thought>B is right</thought><solution_letter>B</solution_letter>"
    assert await perform(scripted(reply), "ScEnsemble", solutions=["a", "b"], problem="p") == {"response": "b"}


async def test_a_step_that_asks_needs_a_model():
    with pytest.raises(ModelError, match="the graph has no model"):
        await perform(None, "Custom", input="x", instruction="y", role="")


async def test_a_call_follows_from_its_label_and_the_seed():
    order = []
    for seed, label in [(0, "a"), (0, "a"), (0, "b"), (1, "a")]:
        source = Operators(FakeChat(), seed=seed).toolkit(NOTHING, label).random
        order.append(source.sample(range(100), 5))
    assert order[0] == order[1]
    assert order[0] not in (order[2], order[3])
    assert order[0] != random.Random().sample(range(10**9), 5)


def with_tests(solution, tier="process", **settings):
    body = f"r = await self.test(problem=problem, solution={solution!r}, entry_point=entry_point)\n"
    body += "return f\"{r['result']} {r['solution']}\""
    backend = LangGraphBackend(settings.pop("model", FakeChat()), sandbox=tier, **settings)
    return backend.emit(workflow_of(body, parameters="problem, entry_point")).compile()


@pytest.mark.parametrize(("solution", "passed"), [(RIGHT, True), (WRONG, False)])
def test_the_tests_of_the_input_are_run_in_the_sandbox(solution, passed):
    model = scripted(*[f"```python\n{WRONG}```"] * 9)
    given = {"problem": "Double.", "entry_point": "f", "test_cases": CASES}
    answer = with_tests(solution, model=model).invoke(given)["answer"]
    assert answer.startswith(f"{passed} def f(x)")


def test_a_failing_solution_is_corrected_by_the_model():
    model = scripted(f"```python\n{RIGHT}```")
    given = {"problem": "Double.", "entry_point": "f", "test_cases": CASES}
    assert with_tests(WRONG, model=model).invoke(given)["answer"] == f"True {RIGHT.strip()}"


def test_the_backends_own_tests_are_run():
    suite = Suite.asserts(CASES, "f")
    given = {"problem": "Double.", "entry_point": "f"}
    assert with_tests(RIGHT, tests=suite).invoke(given)["answer"].startswith("True")


def test_a_query_without_tests_says_so():
    with pytest.raises(OperatorError, match="Test has nothing to run"):
        with_tests(RIGHT).invoke({"problem": "Double.", "entry_point": "f"})


def test_test_cases_of_a_workflow_go_through_the_sandbox():
    body = "r = await self.test(problem=problem, solution=problem, entry_point='f', test_cases=['assert f(2) == 4'])\n"
    body += "return str(r['result'])"
    app = LangGraphBackend(FakeChat(), sandbox="process").emit(workflow_of(body)).compile()
    assert app.invoke({"problem": RIGHT, "entry_point": "f"})["answer"] == "True"


def test_test_cases_that_do_not_parse_can_be_caught():
    body = (
        "try:\n    r = await self.test(problem=problem, solution='x', entry_point='f', test_cases=['not python ('])\n"
    )
    body += "    return str(r['result'])\nexcept Exception as error:\n    return f'caught {error}'"
    app = LangGraphBackend(FakeChat(), sandbox="process").emit(workflow_of(body)).compile()
    assert app.invoke({"problem": "p", "entry_point": "f"})["answer"].startswith("caught the test cases of Test")


async def test_tests_run_in_a_running_event_loop_too():
    given = {"problem": "Double.", "entry_point": "f", "test_cases": CASES}
    assert (await with_tests(RIGHT).ainvoke(given))["answer"].startswith("True")


def test_helpers_that_are_gathered_know_the_tests():
    body = "a, b = await asyncio.gather(self.check(problem), self.check('def f(x):\\n    return 7'))\nreturn f'{a} {b}'"
    helper = "async def check(self, text):\n"
    helper += (
        "    r = await self.test(problem='p', solution=text, entry_point='f', test_loop=0)\n    return r['result']"
    )
    app = LangGraphBackend(FakeChat(), sandbox="process").emit(workflow_of(body, helper)).compile()
    given = {"problem": RIGHT, "entry_point": "f", "test_cases": CASES}
    assert app.invoke(given)["answer"] == "True False"
