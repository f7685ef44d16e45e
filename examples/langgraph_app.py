"""A LangGraph app with a node that designs a multi-agent workflow for each question.

    pip install "flowreasoner[langgraph]"
    python examples/langgraph_app.py

Two scripted models stand in for real ones, which init_chat_model("openai:gpt-4o-mini") gives you.
"""

from langchain_core.language_models import FakeListChatModel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from flowreasoner_adapters.langgraph import flowreasoner_node

DESIGN = """<graph>
class Workflow:
    async def __call__(self, problem, entry_point):
        drafts = []
        for _ in range(3):
            draft = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction="Be brief.")
            drafts.append(draft["response"])
        best = await self.sc_ensemble(solutions=drafts, problem=problem)
        tested = await self.test(problem=problem, solution=best["response"], entry_point=entry_point)
        return tested["solution"]
</graph>"""
designer = FakeListChatModel(responses=[DESIGN])
worker = FakeListChatModel(responses=["def double(text):\n    return text * 2"])


class State(TypedDict, total=False):
    """What the app keeps."""

    question: str
    entry_point: str
    tests: list[str]
    answer: str
    report: str


def report(state: State) -> State:
    return {"report": f"{state['question']}\n\n{state['answer']}"}


graph = StateGraph(State)
graph.add_node("solve", flowreasoner_node(worker, meta_agent=designer, rounds=4))
graph.add_node("report", report)
graph.add_edge(START, "solve")
graph.add_edge("solve", "report")
graph.add_edge("report", END)
app = graph.compile(checkpointer=InMemorySaver())

question = {
    "question": "Write a function double(text) that returns the text twice.",
    "entry_point": "double",
    "tests": ["assert double('ab') == 'abab'", "assert double('') == ''"],
}
config = {"configurable": {"thread_id": "1"}}
for namespace, mode, event in app.stream(question, config, stream_mode=["updates", "custom"], subgraphs=True):
    if mode == "custom":
        print(event)
    elif namespace:  # a node of the workflow that was designed
        print("  ran", *event)

print(app.get_state(config).values["report"])
