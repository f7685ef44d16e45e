"""The node factory in graphs of a user's own."""

import asyncio

import pytest

pytest.importorskip("langgraph")
from fake_sandbox import FakeSandbox
from langchain_core.language_models import FakeListChatModel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.store.memory import InMemoryStore

from flowreasoner.errors import ModelError, QueryError
from flowreasoner_adapters.langgraph import flowreasoner_node

DESIGN = """<graph>
class Workflow:
    async def __call__(self, problem, entry_point):
        drafts = []
        for _ in range(2):
            draft = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction="Go")
            drafts.append(draft["response"])
        best = await self.sc_ensemble(solutions=drafts, problem=problem)
        return best["response"]
</graph>"""
QUESTION = {"question": "Write f(x).", "entry_point": "f", "tests": ["assert f(1) == 2"]}


class State(MessagesState):
    question: str
    entry_point: str
    tests: list
    check: str
    answer: str
    design: dict


class Counted(FakeListChatModel):
    """Counts its calls."""

    calls: list = []  # noqa: RUF012 - a field of the model

    def _call(self, *arguments, **settings):
        self.calls.append(1)
        return super()._call(*arguments, **settings)


@pytest.fixture
def designer():
    return Counted(responses=[DESIGN], calls=[])


@pytest.fixture
def worker():
    return Counted(responses=["def f(x):\n    return x + 1"], calls=[])


def app(worker, designer, *, compiled=None, **settings):
    graph = StateGraph(State)
    settings.setdefault("sandbox", FakeSandbox())
    graph.add_node("solve", flowreasoner_node(worker, meta_agent=designer, rounds=2, evaluations=1, **settings))
    graph.add_edge(START, "solve")
    graph.add_edge("solve", END)
    return graph.compile(**(compiled or {}))


def test_it_designs_runs_and_answers(worker, designer):
    state = app(worker, designer).invoke(QUESTION)
    assert state["answer"] == "def f(x):\n    return x + 1"
    assert state["design"]["score"] == 1.0
    assert "sc_ensemble" in state["design"]["workflow"]
    assert (len(designer.calls), len(worker.calls)) == (1, 4)  # one design; two samples, twice


def test_nodes_of_the_designed_workflow_are_streamed_and_rounds_reported(worker, designer):
    seen, rounds = [], []
    for namespace, mode, event in app(worker, designer).stream(
        QUESTION, stream_mode=["updates", "custom"], subgraphs=True
    ):
        if mode == "custom":
            rounds.append(event)
        elif namespace:
            seen += event
    samples = ["custom_code_generate_1"] * 2
    assert seen == ["prepare", *samples, "collect_custom_code_generate_1", "sc_ensemble_1"]
    assert [event["flowreasoner"] for event in rounds] == ["round started", "round ended"]


async def test_it_runs_in_asynchronous_graphs_too(worker, designer):
    state = await app(worker, designer).ainvoke(QUESTION)
    assert state["design"]["rounds"] == 1


def test_it_runs_where_a_loop_is_running(worker, designer):
    async def notebook():
        return app(worker, designer).invoke(QUESTION)

    assert asyncio.run(notebook())["answer"]


def test_a_question_may_be_the_last_message(worker, designer):
    asked = {"messages": [("user", "Hello."), ("user", "Write f(x).")], "tests": QUESTION["tests"], "entry_point": "f"}
    state = app(worker, designer).invoke(asked)
    assert state["messages"][-1].type == "ai"
    assert state["messages"][-1].content == state["answer"]


def test_a_message_may_consist_of_content_blocks(worker, designer):
    blocks = [{"type": "text", "text": "Write f(x)."}]
    asked = {"messages": [("user", blocks)], "tests": QUESTION["tests"], "entry_point": "f"}
    assert app(worker, designer).invoke(asked)["messages"][-1].type == "ai"


def test_designs_are_remembered_when_asked(worker, designer):
    remembering = app(worker, designer, remember=True)
    first, again = (remembering.invoke(QUESTION) for _ in range(2))
    assert (first["design"]["remembered"], again["design"]["remembered"]) == (False, True)
    assert len(designer.calls) == 1
    other = remembering.invoke({**QUESTION, "question": "Write f(x) differently."})
    assert not other["design"]["remembered"]


def test_designs_are_remembered_in_the_graphs_store(worker, designer):
    store = InMemoryStore()
    for _ in range(2):  # a new node each time: only the store knows
        state = app(worker, designer, remember=True, compiled={"store": store}).invoke(QUESTION)
    assert state["design"]["remembered"]
    assert len(designer.calls) == 1


def test_designs_are_not_remembered_unless_asked(worker, designer):
    twice = app(worker, designer)
    for _ in range(2):
        twice.invoke(QUESTION)
    assert len(designer.calls) == 2


def test_an_answer_that_fails_the_tests_gives_way_to_the_designs(designer):
    right, wrong = "def f(x):\n    return x + 1", "def f(x):\n    return 0"
    answers = iter([right, right, wrong, wrong])

    class Changing(FakeListChatModel):
        def _call(self, *_, **__):
            return next(answers)

    sandbox = FakeSandbox(passes=lambda code: "x + 1" in code)
    assert app(Changing(responses=[""]), designer, sandbox=sandbox).invoke(QUESTION)["answer"] == right


def test_keys_have_the_users_names(worker, designer):
    state = app(worker, designer, question="task", answer="result")
    with pytest.raises(QueryError, match=r"no 'task' and no messages"):
        state.invoke(QUESTION)


def test_a_checkpointer_keeps_the_users_state(worker, designer):
    config = {"configurable": {"thread_id": "1"}}
    kept = app(worker, designer, compiled={"checkpointer": InMemorySaver()})
    kept.invoke(QUESTION, config)
    assert kept.get_state(config).values["answer"].startswith("def f")


def test_a_model_of_the_wrong_kind_is_named_at_once(worker):
    with pytest.raises(ModelError, match=r"must be a LangChain chat model.*not int"):
        flowreasoner_node(5)
    with pytest.raises(ModelError, match="init_chat_model"):
        flowreasoner_node(worker, meta_agent=object())
