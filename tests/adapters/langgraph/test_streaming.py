"""What LangGraph's own tools see of a run: every stream mode, events, callbacks, token usage."""

import asyncio

import pytest

pytest.importorskip("langgraph")
from fake_chat import FakeChat, workflow_of
from langchain_core.callbacks import BaseCallbackHandler, UsageMetadataCallbackHandler
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver

from flowreasoner_adapters.langgraph import LangGraphBackend

BODY = """
print('begins', problem)
first = await self.custom(input=problem, instruction='first')
texts = []
for i in range(3):
    draft = await self.custom(input=first['response'], instruction=f'sample {i}')
    texts.append(draft['response'])
print(f'{len(texts)} samples')
last = await self.custom(input=str(len(texts)), instruction='last')
return last['response']
"""
HELPER = """
async def ask(self, text):
    print('asks', text)
    draft = await self.custom(input=text, instruction='inner')
    return draft['response']
"""


def app(body=BODY, members="", model=None, **compiled):
    return LangGraphBackend(model or FakeChat()).emit(workflow_of(body, members)).compile(**compiled)


def streamed(mode, graph=None, **settings):
    return list((graph or app()).stream({"problem": "p"}, stream_mode=mode, **settings))


def test_values_are_the_growing_state():
    states = streamed("values")
    assert states[0]["problem"] == "p"
    assert states[1]["first"] == {"response": "<first p>"}
    assert states[-1]["answer"] == "<last 3>"


def test_updates_are_by_node():
    names = [name for update in streamed("updates") for name in update]
    assert names == ["custom_1", *["custom_2"] * 3, "collect_custom_2", "custom_3"]


def test_an_update_holds_only_what_changed():
    last = streamed("updates")[-1]["custom_3"]
    assert set(last) == {"last", "answer"}


@pytest.mark.parametrize("how", ["stream", "astream"])
def test_prints_reach_the_custom_stream(how):
    async def collect():
        return [item async for item in app().astream({"problem": "p"}, stream_mode="custom")]

    logs = streamed("custom") if how == "stream" else asyncio.run(collect())
    assert logs == [{"log": "begins p"}, {"log": "3 samples"}]


def test_prints_of_subgraphs_reach_it_too():
    body = "a, b = await asyncio.gather(self.ask('a'), self.ask('b'))\nreturn a + b"
    logs = streamed("custom", app(body, HELPER), subgraphs=True)
    assert sorted(item["log"] for _, item in logs) == ["asks a", "asks b"]


@pytest.mark.parametrize("how", ["stream", "astream"])
def test_messages_come_with_the_node_that_asked(how):
    async def collect():
        return [item async for item in app().astream({"problem": "p"}, stream_mode="messages")]

    found = streamed("messages") if how == "stream" else asyncio.run(collect())
    assert [(message.content, about["langgraph_node"], about["operator"]) for message, about in found][:1] == [
        ("<first p>", "custom_1", "Custom")
    ]
    nodes = [about["langgraph_node"] for _, about in found]
    assert nodes == ["custom_1", *["custom_2"] * 3, "custom_3"]


def test_tokens_of_a_streaming_model_come_one_by_one():
    model = GenericFakeChatModel(messages=iter([AIMessage("one two three")]))
    graph = app("a = await self.custom(input=problem, instruction='x')\nreturn a['response']", model=model)
    pieces = [message.content for message, _ in streamed("messages", graph)]
    assert [piece for piece in pieces if piece] == ["one", " ", "two", " ", "three"]


def test_tasks_and_checkpoints_and_debug():
    graph = app(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    found = {"tasks": [], "checkpoints": [], "debug": []}
    for mode, item in graph.stream({"problem": "p"}, config, stream_mode=list(found)):
        found[mode].append(item)
    begun = [item["name"] for item in found["tasks"] if "input" in item]
    assert begun == ["custom_1", *["custom_2"] * 3, "collect_custom_2", "custom_3"]
    assert all(item["error"] is None for item in found["tasks"] if "error" in item)
    assert found["checkpoints"][-1]["values"]["answer"] == "<last 3>"
    assert {item["type"] for item in found["debug"]} == {"checkpoint", "task", "task_result"}


def test_several_modes_at_once_and_the_nodes_of_subgraphs():
    body = "a, b = await asyncio.gather(self.ask('a'), self.ask('b'))\nreturn a + b"
    found = streamed(["updates", "custom"], app(body, HELPER), subgraphs=True)
    inner = [item for namespace, mode, item in found if namespace and mode == "updates"]
    assert len(inner) == 2
    assert all(list(item) == ["custom_1"] or list(item) == ["custom_1_2"] for item in inner)
    assert {namespace[0].partition(":")[0] for namespace, _, _ in found if namespace} == {"ask_2", "ask_3"}


async def test_events_of_version_2():
    events = [event async for event in app().astream_events({"problem": "p"}, version="v2")]
    started = [event["name"] for event in events if event["event"] == "on_chain_start"]
    assert {"custom_1", "custom_2", "custom_3", "collect_custom_2"} <= set(started)
    models = [event for event in events if event["event"] == "on_chat_model_end"]
    assert len(models) == 5
    assert {event["metadata"]["langgraph_node"] for event in models} == {"custom_1", "custom_2", "custom_3"}
    asked = {event["data"]["output"].content for event in models}
    assert {"<first p>", "<last 3>"} <= asked


class Heard(BaseCallbackHandler):
    def __init__(self):
        self.asked, self.answered = [], []

    def on_chat_model_start(self, serialized, messages, *, metadata=None, **_):
        self.asked.append((messages[0][-1].content.split("\n")[0], metadata["langgraph_node"], metadata["line"]))

    def on_llm_end(self, response, **_):
        self.answered.append(response.generations[0][0].text)


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
def test_callbacks_hear_each_call(how):
    heard, graph = Heard(), app()
    config = {"callbacks": [heard]}
    if how == "invoke":
        graph.invoke({"problem": "p"}, config)
    else:
        asyncio.run(graph.ainvoke({"problem": "p"}, config))
    assert sorted(heard.asked) == [
        ("first", "custom_1", 4),
        ("last", "custom_3", 10),
        ("sample 0", "custom_2", 7),
        ("sample 1", "custom_2", 7),
        ("sample 2", "custom_2", 7),
    ]
    assert len(heard.answered) == 5


def test_callbacks_hear_the_calls_of_subgraphs():
    heard = Heard()
    body = "a, b = await asyncio.gather(self.ask('a'), self.ask('b'))\nreturn a + b"
    app(body, HELPER).invoke({"problem": "p"}, {"callbacks": [heard]})
    assert [what for what, _, _ in heard.asked] == ["inner", "inner"]


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
def test_token_usage_is_counted(how):
    usage = UsageMetadataCallbackHandler()
    graph = app(model=NamedChat())
    if how == "invoke":
        graph.invoke({"problem": "p"}, {"callbacks": [usage]})
    else:
        asyncio.run(graph.ainvoke({"problem": "p"}, {"callbacks": [usage]}))
    assert usage.usage_metadata["fake-1"]["output_tokens"] == 5 * 7


class NamedChat(FakeChat):
    """Says its name in each answer, by which usage is counted."""

    def _generate(self, *arguments, **settings):
        result = super()._generate(*arguments, **settings)
        result.generations[0].message.response_metadata["model_name"] = "fake-1"
        return result
