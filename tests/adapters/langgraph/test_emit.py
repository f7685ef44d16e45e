"""The live graph: its structure as a LangGraph user sees it, its schema, its bounds, and that it overlaps calls."""

import asyncio
import json

import pytest

pytest.importorskip("langgraph")
from fake_chat import FakeChat, workflow_of
from langgraph.errors import GraphRecursionError
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from flowreasoner.errors import BudgetExceeded
from flowreasoner_adapters.langgraph import LangGraphBackend

ASK = "await self.custom(input=problem, instruction={!r})"
SAMPLES = f"texts = []\nfor _ in range(5):\n    draft = {ASK.format('x')}\n    texts.append(draft['response'])\n"


def emitted(body, members="", *, model=None, **settings):
    return LangGraphBackend(model or FakeChat(), **settings).emit(workflow_of(body, members))


def picture(body, members="", **settings):
    """The edges of a graph, as (from, to) pairs: solid ones, and conditional ones."""
    drawn = emitted(body, members).compile().get_graph(**settings)
    edges = {(edge.source.strip("_"), edge.target.strip("_")): edge.conditional for edge in drawn.edges}
    return {pair for pair, often in edges.items() if not often}, {pair for pair, often in edges.items() if often}


# --- structure ---


def test_each_call_site_is_a_node_of_its_name_with_operator_and_line():
    graph = emitted(
        f"a = {ASK.format('a')}\nb = await self.review(problem=problem, solution=a['response'])\nreturn b['feedback']"
    )
    assert list(graph.nodes) == ["custom_1", "review_1"]
    assert graph.nodes["custom_1"].metadata == {"line": 3, "operator": "Custom"}
    assert graph.nodes["review_1"].metadata == {"line": 4, "operator": "Review"}


def test_calls_in_a_row_are_edges():
    always, sometimes = picture(f"a = {ASK.format('a')}\nb = {ASK.replace('problem', 'a').format('b')}\nreturn b")
    assert always == {("start", "custom_1"), ("custom_1", "custom_2"), ("custom_2", "end")}
    assert not sometimes


def test_an_if_is_a_conditional_edge():
    always, sometimes = picture(
        f"a = {ASK.format('a')}\nif a['response']:\n    a = {ASK.format('b')}\nreturn a['response']"
    )
    assert {("custom_1", "custom_2"), ("custom_1", "finish")} <= sometimes
    assert ("custom_2", "finish") in always | sometimes


def test_a_loop_is_a_cycle():
    _, sometimes = picture(
        f"a = {ASK.format('a')}\nwhile len(a['response']) < 3:\n    a = {ASK.format('b')}\nreturn a['response']"
    )
    assert ("custom_2", "custom_2") in sometimes


def test_a_sampling_loop_fans_out_to_one_node_and_collects():
    always, sometimes = picture(SAMPLES + "return ','.join(texts)")
    assert ("prepare", "custom_1") in sometimes
    assert ("custom_1", "collect_custom_1") in always


def test_independent_calls_fan_out_to_a_node_each():
    always, sometimes = picture(f"a = {ASK.format('a')}\nb = {ASK.format('b')}\nreturn a['response'] + b['response']")
    assert {("prepare", "custom_1"), ("prepare", "custom_2")} <= sometimes
    assert {("custom_1", "collect"), ("custom_2", "collect")} <= always


def test_a_handler_is_a_node_that_errors_go_to():
    _, sometimes = picture(
        f"try:\n    a = {ASK.format('a')}\n    text = str(int(a['response']))\n"
        f"except ValueError:\n    b = {ASK.format('b')}\n    text = b['response']\nreturn text"
    )
    (handler,) = {target for source, target in sometimes if source == "custom_1"} - {"finish"}
    assert ("custom_1", "finish") in sometimes
    assert handler in {"custom_2", "handle_error"}


def test_gathered_helpers_are_subgraphs_that_xray_shows():
    body = "a, b = await asyncio.gather(self.ask('a'), self.ask('b'))\nreturn a + b"
    helper = "async def ask(self, text):\n    draft = await self.custom(input=text, instruction='x')\n"
    helper += "    review = await self.review(problem=text, solution=draft['response'])\n    return review['feedback']"
    app = emitted(body, helper).compile()
    assert [name for name, _ in app.get_subgraphs()] == ["ask_2", "ask_3"]
    assert "custom_1" not in app.get_graph().draw_mermaid()
    mermaid = app.get_graph(xray=True).draw_mermaid()
    for part in ("subgraph ask_2", "custom_1", "review_1"):
        assert part in mermaid


def test_the_picture_is_mermaid_text():
    mermaid = emitted(SAMPLES + "return ','.join(texts)").compile().get_graph().draw_mermaid()
    assert "graph TD" in mermaid
    assert "prepare -.-> custom_1" in mermaid
    assert "custom_1 --> collect_custom_1" in mermaid


def test_schemas_are_of_the_workflows_variables():
    app = emitted(SAMPLES + "return ','.join(texts)").compile()
    assert set(app.get_input_jsonschema()["properties"]) == {"problem", "entry_point", "test_cases"}
    assert set(app.get_output_jsonschema()["properties"]) == {"answer"}
    assert app.get_context_jsonschema() is None
    assert json.dumps(app.get_input_jsonschema())


def test_variables_named_like_the_graphs_own_keys_are_kept_apart():
    body = (
        f"answer = {ASK.format('a')}\nresults = 'r'\nfailed = 'f'\nprompts = {ASK.format('b')}\n"
        "return answer['response'] + results + failed + prompts['response']"
    )
    assert emitted(body).compile().invoke({"problem": "p"})["answer"] == "<a p>rf<b p>"


# --- running ---


def test_synchronous_and_asynchronous_runs_agree():
    app = emitted(SAMPLES + "return ','.join(texts)").compile()
    expected = ",".join(["<x p>"] * 5)
    assert app.invoke({"problem": "p"}) == {"answer": expected}
    assert asyncio.run(app.ainvoke({"problem": "p"})) == {"answer": expected}


async def test_a_synchronous_run_works_inside_of_a_running_event_loop():
    assert emitted(SAMPLES + "return texts[0]").compile().invoke({"problem": "p"}) == {"answer": "<x p>"}


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
def test_five_samples_run_at_the_same_time(how):
    model = FakeChat(pause=0.05)
    app = emitted(SAMPLES + "return texts[0]", model=model).compile()
    if how == "invoke":
        app.invoke({"problem": "p"})
    else:
        asyncio.run(app.ainvoke({"problem": "p"}))
    assert model.most == 5 == len(model.prompts)


def test_the_users_limit_on_concurrency_holds():
    model = FakeChat(pause=0.01)
    asyncio.run(
        emitted(SAMPLES + "return texts[0]", model=model).compile().ainvoke({"problem": "p"}, {"max_concurrency": 2})
    )
    assert model.most == 2


def test_gathered_helpers_run_at_the_same_time():
    model = FakeChat(pause=0.02)
    helper = "async def ask(self, text):\n    draft = await self.custom(input=text, instruction='x')\n"
    helper += "    more = await self.custom(input=draft['response'], instruction='y')\n    return more['response']"
    body = "texts = await asyncio.gather(*[self.ask(str(i)) for i in range(4)])\nreturn ' '.join(texts)"
    answer = asyncio.run(emitted(body, helper, model=model).compile().ainvoke({"problem": "p"}))["answer"]
    assert answer == " ".join(f"<y <x {i}>>" for i in range(4))
    assert model.most == 4


def test_random_numbers_differ_among_samples_and_follow_from_the_seed():
    helper = "async def ask(self, text):\n    await self.custom(input=text, instruction='x')\n"
    helper += "    return str(random.randint(0, 10 ** 9))"
    body = "texts = await asyncio.gather(*[self.ask(problem) for _ in range(4)])\nreturn ' '.join(texts)"
    drawn = [
        emitted(body, helper, seed=seed).compile().invoke({"problem": "p"})["answer"].split() for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == 4


# --- bounds ---


def test_a_loop_of_thirty_rounds_needs_no_setting():
    body = f"text = problem\nfor i in range(30):\n    draft = {ASK.replace('problem', 'text').format('x')}\n"
    body += "    text = draft['response'][:5] + str(i)\nreturn text"
    model = FakeChat()
    assert emitted(body, model=model).compile().invoke({"problem": "p"})["answer"].endswith("29")
    assert len(model.prompts) == 30


def test_a_loop_without_an_end_ends_at_the_bound():
    body = f"while True:\n    draft = {ASK.format('x')}\n    if draft['response'] == 'never':\n        return 'x'\n"
    model = FakeChat()
    with pytest.raises(GraphRecursionError):
        emitted(body, model=model).compile().invoke({"problem": "p"})
    assert 64 <= len(model.prompts) <= 300  # 64 rounds, each counted as the steps that it may take at most


def test_the_users_own_limit_wins():
    body = f"text = problem\nfor i in range(30):\n    draft = {ASK.replace('problem', 'text').format('x')}\n"
    body += "    text = draft['response'][:5] + str(i)\nreturn text"
    with pytest.raises(GraphRecursionError):
        emitted(body).compile().invoke({"problem": "p"}, {"recursion_limit": 5})


# --- inside of another graph ---


class Outer(TypedDict, total=False):
    problem: str
    texts: int  # the workflow's variables of these names hold something else
    draft: str
    results: str
    answer: str


def test_a_graph_is_a_subgraph_of_a_graph_whose_state_has_the_same_names():
    parent = StateGraph(Outer)
    parent.add_node("before", lambda state: {"texts": 7, "draft": "mine", "results": "kept"})
    parent.add_node("solve", emitted(SAMPLES + "return ','.join(texts)").compile())
    parent.add_node("after", lambda state: {"answer": state["answer"].upper()})
    for edge in [(START, "before"), ("before", "solve"), ("solve", "after"), ("after", END)]:
        parent.add_edge(*edge)
    app = parent.compile()
    assert app.invoke({"problem": "p"}) == {
        "problem": "p",
        "texts": 7,
        "draft": "mine",
        "results": "kept",
        "answer": ",".join(["<X P>"] * 5),
    }
    streamed = [
        name
        for namespace, update in app.stream({"problem": "p"}, stream_mode="updates", subgraphs=True)
        if namespace
        for name in update
    ]
    assert sorted(set(streamed)) == ["collect_custom_1", "custom_1", "prepare"]


def test_a_graph_takes_its_nodes_of_the_same_model_many_times():
    backend = LangGraphBackend(FakeChat())
    one = backend.emit(workflow_of(f"a = {ASK.format('a')}\nreturn a['response']")).compile()
    other = backend.emit(workflow_of(f"a = {ASK.format('b')}\nreturn a['response']")).compile()
    assert [one.invoke({"problem": "p"})["answer"], other.invoke({"problem": "p"})["answer"]] == ["<a p>", "<b p>"]


@pytest.mark.slow
def test_values_that_share_parts_are_stored_within_the_budget():
    """Twenty-eight doublings take no room in Python, and more than any machine has as plain data."""
    doubling = "pairs = ['x']\nfor _ in range(28):\n    pairs = [pairs, pairs]\n"
    calls = f"one = {ASK.format('one')}\ntwo = await self.custom(input=one['response'], instruction='two')\n"
    app = emitted(f"{doubling}{calls}return two['response'] + str(len(pairs))").compile()
    with pytest.raises(BudgetExceeded, match="memory"):
        app.invoke({"problem": "p"})
