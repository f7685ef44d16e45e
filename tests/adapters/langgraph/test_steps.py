"""Nodes: retries and caches by LangGraph's policies, errors inside and outside of `try`."""

import asyncio

import pytest

pytest.importorskip("langgraph")
from dataclasses import replace

from fake_chat import FakeChat, workflow_of
from langgraph.cache.memory import InMemoryCache
from langgraph.types import CachePolicy, RetryPolicy

from flowreasoner.errors import BudgetExceeded, OperatorError
from flowreasoner.operators import BUILTIN
from flowreasoner_adapters.langgraph import LangGraphBackend

ONE = "a = await self.custom(input=problem, instruction='x')\nreturn a['response']"
SAMPLES = """
texts = []
for _ in range(5):
    draft = await self.custom(input=problem, instruction='x')
    texts.append(draft['response'])
return ' '.join(texts)
"""
CAUGHT = """
try:
    a = await self.custom(input=problem, instruction='x')
    text = a['response']
except Exception as error:
    b = await self.custom(input=str(error), instruction='handler')
    text = b['response']
return text
"""
HELPER = """
async def ask(self, text):
    draft = await self.custom(input=text, instruction='x')
    more = await self.custom(input=draft['response'], instruction='y')
    return more['response']
"""
QUICK = {"initial_interval": 0.001, "jitter": False}


class Overloaded(Exception):
    """What a provider's client raises."""


def app(body, model, members="", compiled=None, **settings):
    return LangGraphBackend(model, **settings).emit(workflow_of(body, members)).compile(**compiled or {})


def failing(times, part="x\n", error=Overloaded):
    return FakeChat(raises={part: [error(f"overloaded {index}") for index in range(times)]})


def operators_that_fail(times, error=OperatorError):
    """The built-in operators, of which Custom's `x` fails a number of times; and the calls made."""
    calls = []

    async def perform(operator, toolkit, inputs):
        calls.append(inputs["instruction"])
        if inputs["instruction"] == "x" and calls.count("x") <= times:
            raise error(f"failure {calls.count('x')}")
        return {"response": f"<{inputs['instruction']} {inputs['input']}>"}

    return {**BUILTIN, "Custom": replace(BUILTIN["Custom"], perform=perform)}, calls


# --- retries ---


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
@pytest.mark.parametrize("body", [ONE, CAUGHT])
def test_a_failing_model_is_tried_again(body, how):
    model = failing(2)
    graph = app(body, model, retry_policy=RetryPolicy(max_attempts=3, **QUICK))
    given = {"problem": "p"}
    answer = graph.invoke(given) if how == "invoke" else asyncio.run(graph.ainvoke(given))
    assert answer == {"answer": "<x p>"}
    assert model.asked == {"x": 3}


def test_only_the_failing_sample_is_tried_again():
    model = failing(2)
    graph = app(SAMPLES, model, retry_policy=RetryPolicy(max_attempts=3, **QUICK))
    assert graph.invoke({"problem": "p"})["answer"] == " ".join(["<x p>"] * 5)
    assert model.asked == {"x": 7}


def test_a_model_that_fails_too_often_ends_the_run_with_its_error():
    model = failing(9)
    with pytest.raises(Overloaded, match="overloaded 2"):
        app(CAUGHT, model, retry_policy=RetryPolicy(max_attempts=3, **QUICK)).invoke({"problem": "p"})
    assert model.asked == {"x": 3}


@pytest.mark.parametrize("policy", [RetryPolicy(max_attempts=3, **QUICK), [RetryPolicy(max_attempts=3, **QUICK)]])
def test_a_handler_is_entered_only_after_all_attempts(policy):
    operators, calls = operators_that_fail(9)
    graph = app(CAUGHT, None, operators=operators, retry_policy=policy)
    assert graph.invoke({"problem": "p"})["answer"] == "<handler failure 3>"
    assert calls == ["x", "x", "x", "handler"]


def test_a_handler_is_not_entered_when_an_attempt_succeeds():
    operators, calls = operators_that_fail(2)
    graph = app(CAUGHT, None, operators=operators, retry_policy=RetryPolicy(max_attempts=3, **QUICK))
    assert graph.invoke({"problem": "p"})["answer"] == "<x p>"
    assert calls == ["x", "x", "x"]


@pytest.mark.parametrize("retry_on", [ValueError, (ValueError, KeyError), lambda error: isinstance(error, ValueError)])
def test_errors_that_are_not_tried_again_go_to_the_handler_at_once(retry_on):
    operators, calls = operators_that_fail(9)
    graph = app(CAUGHT, None, operators=operators, retry_policy=RetryPolicy(retry_on=retry_on, **QUICK))
    assert graph.invoke({"problem": "p"})["answer"] == "<handler failure 1>"
    assert calls == ["x", "handler"]


def test_a_statements_error_beside_a_call_is_caught_though_calls_are_tried_again():
    body = CAUGHT.replace("text = a['response']", "text = str(int(a['response']))", 1)
    model = FakeChat()
    graph = app(body, model, retry_policy=RetryPolicy(max_attempts=3, **QUICK))
    assert graph.invoke({"problem": "p"})["answer"].startswith("<handler invalid literal for int()")
    assert model.asked["x"] == 1


def test_an_error_of_a_node_without_a_call_is_caught_though_calls_are_tried_again():
    body = """
    a, b = await asyncio.gather(
        self.custom(input=problem, instruction='x'), self.custom(input=problem, instruction='y')
    )
    try:
        text = problem
        c = await self.custom(input=problem, instruction='z')
        if c:
            d, e = await asyncio.gather(
                self.custom(input=problem, instruction='v'), self.custom(input=problem, instruction='w')
            )
            text = str(int(d['response']))
    except ValueError:
        text = 'caught'
    return text
    """
    assert app(body, FakeChat(), retry_policy=RetryPolicy(**QUICK)).invoke({"problem": "p"})["answer"] == "caught"


def test_a_gathered_call_is_tried_again_before_its_gather_is_caught():
    body = """
    try:
        a, b = await asyncio.gather(
            self.custom(input=problem, instruction='x'), self.custom(input=problem, instruction='y')
        )
        return a['response'] + b['response']
    except Exception as error:
        return f'caught {error}'
    """
    operators, calls = operators_that_fail(2)
    policy = RetryPolicy(max_attempts=3, **QUICK)
    assert app(body, None, operators=operators, retry_policy=policy).invoke({"problem": "p"})["answer"] == "<x p><y p>"
    assert sorted(calls) == ["x", "x", "x", "y"]
    operators, calls = operators_that_fail(9)
    answer = app(body, None, operators=operators, retry_policy=policy).invoke({"problem": "p"})["answer"]
    assert answer == "caught failure 3"


# --- caches ---


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
def test_a_second_run_takes_its_calls_from_the_cache(how):
    model = FakeChat()
    graph = app(SAMPLES, model, compiled={"cache": InMemoryCache()}, cache_policy=CachePolicy())

    def run(problem):
        given = {"problem": problem}
        return graph.invoke(given) if how == "invoke" else asyncio.run(graph.ainvoke(given))

    first = run("p")
    assert model.asked == {"x": 5}  # five samples of one prompt are five draws
    assert run("p") == first
    assert model.asked == {"x": 5}
    run("other")
    assert model.asked == {"x": 10}


def test_calls_of_subgraphs_are_cached_too():
    model = FakeChat()
    body = "texts = await asyncio.gather(*[self.ask(str(i)) for i in range(2)])\nreturn ' '.join(texts)"
    graph = app(body, model, HELPER, compiled={"cache": InMemoryCache()}, cache_policy=CachePolicy())
    first = graph.invoke({"problem": "p"})
    assert graph.invoke({"problem": "p"}) == first
    assert model.asked == {"x": 2, "y": 2}


def test_draws_of_samples_within_samples_are_not_taken_for_one_call():
    body = "texts = await asyncio.gather(*[self.ask(problem) for _ in range(2)])\nreturn ' '.join(texts)"
    helper = "async def ask(self, text):\n"
    helper += "    a, b = await asyncio.gather(*[self.custom(input=text, instruction='x') for _ in range(2)])\n"
    helper += "    return a['response'] + b['response']"
    model = FakeChat()
    graph = app(body, model, helper, compiled={"cache": InMemoryCache()}, cache_policy=CachePolicy())
    for _ in range(2):
        graph.invoke({"problem": "p"}, {"max_concurrency": 1})
        assert model.asked == {"x": 4}


def test_a_cached_call_sees_its_variables():
    body = """
    text = problem
    for i in range(3):
        draft = await self.custom(input=text, instruction='x')
        text = str(i) + draft['response'][:8]
    return text
    """
    model = FakeChat()
    graph = app(body, model, compiled={"cache": InMemoryCache()}, cache_policy=CachePolicy())
    first = graph.invoke({"problem": "p"})
    assert graph.invoke({"problem": "p"}) == first
    assert model.asked == {"x": 3}


# --- errors ---


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
@pytest.mark.parametrize("body", [ONE, CAUGHT, SAMPLES])
def test_a_models_error_passes_as_it_is_and_no_workflow_catches_it(body, how):
    model = failing(1)
    error = model.raises["x\n"][0]
    graph = app(body, model)
    with pytest.raises(Overloaded) as raised:
        graph.invoke({"problem": "p"}) if how == "invoke" else asyncio.run(graph.ainvoke({"problem": "p"}))
    assert raised.value is error
    assert "handler" not in model.asked


def test_a_models_error_in_a_gathered_helper_is_no_value_of_return_exceptions():
    body = "results = await asyncio.gather(self.ask('a'), self.ask('b'), return_exceptions=True)\nreturn str(results)"
    with pytest.raises(Overloaded):
        app(body, failing(1, "y\n"), HELPER).invoke({"problem": "p"})


def test_an_operators_failure_ends_the_run_or_is_caught():
    operators, _ = operators_that_fail(9)
    with pytest.raises(OperatorError, match="failure 1"):
        app(ONE, None, operators=operators).invoke({"problem": "p"})
    assert app(CAUGHT, None, operators=operators).invoke({"problem": "p"})["answer"].startswith("<handler failure")


def test_an_operators_failure_among_samples_is_caught_once_all_have_ended():
    body = """
    try:
        results = await asyncio.gather(*[self.custom(input=str(i), instruction='x') for i in range(3)])
    except Exception as error:
        return f'caught {error}'
    return str(len(results))
    """
    operators, calls = operators_that_fail(1)
    assert app(body, None, operators=operators).invoke({"problem": "p"})["answer"] == "caught failure 1"
    assert calls == ["x"] * 3


def test_failures_of_gathered_helpers_are_values_where_the_workflow_wants_them():
    body = """
    results = await asyncio.gather(self.ask('a'), self.ask('b'), return_exceptions=True)
    return ' '.join([f'failed: {r}' if isinstance(r, Exception) else r for r in results])
    """
    operators, _ = operators_that_fail(1)
    answer = app(body, None, HELPER, operators=operators).invoke({"problem": "p"})["answer"]
    assert sorted([answer.count("failed: failure 1"), answer.count("<y <x ")]) == [1, 1]


def test_an_error_keeps_its_kind_and_text_on_its_way_to_the_handler():
    body = """
    try:
        a = await self.custom(input=problem, instruction='x')
        text = {}[a['response']]
    except (ValueError, KeyError) as error:
        kind = 'key' if isinstance(error, KeyError) else 'value'
        b = await self.custom(input=kind + str(error), instruction='y')
        text = b['response']
    return text
    """
    assert app(body, FakeChat()).invoke({"problem": "p"})["answer"] == "<y key'<x p>'>"


def test_an_answer_of_none_is_an_error():
    with pytest.raises(TypeError, match="returned None instead of an answer"):
        app(
            "a = await self.custom(input=problem, instruction='x')\nif a == 1:\n    return 'x'\nb = None\nreturn b",
            FakeChat(),
        ).invoke({"problem": "p"})


def test_the_steps_of_a_node_are_limited():
    from flowreasoner.budget import Budget

    body = "n = 0\nwhile n < 10 ** 9:\n    n += 1\na = await self.custom(input=str(n), instruction='x')\nreturn str(a)"
    with pytest.raises(BudgetExceeded):
        app(body, FakeChat(), budget=Budget(steps=1000)).invoke({"problem": "p"})


def test_values_that_no_state_holds_are_refused_by_name():
    from flowreasoner.errors import WorkflowFailed

    body = """
    found = [zip(problem, problem)]
    a = await self.custom(input=problem, instruction='x')
    b = await self.custom(input=a['response'], instruction='y')
    return str(list(found[0])) + b['response']
    """
    with pytest.raises(WorkflowFailed, match="'found' holds a zip"):
        app(body, FakeChat()).invoke({"problem": "p"})


def test_an_input_named_like_the_graphs_own_key_stays_an_input():
    body = "a, b = await asyncio.gather(*[self.revise(problem='p', solution='s', feedback=f) for f in 'xy'])\n"
    model = FakeChat()
    app(body + "return a['solution'] + b['solution']", model).invoke({"problem": "p"})
    assert ["x" in model.prompts[0], "y" in model.prompts[1]] == [True, True]
