"""A LangChain model as the core's chat model: messages, content, usage, and its errors as they are."""

import pytest

pytest.importorskip("langgraph")
from fake_chat import FakeChat
from langchain_core.language_models import FakeListLLM
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda

from flowreasoner.errors import ModelError
from flowreasoner.models.base import ChatRequest
from flowreasoner_adapters.langgraph import LangChainModel
from flowreasoner_adapters.langgraph.model import as_chat_model


def answering(message):
    """A model, its message kept under `asked`."""
    asked = []

    def answer(messages):
        asked.append(messages)
        return message

    return LangChainModel(RunnableLambda(answer)), asked


async def complete(message):
    model, _ = answering(message)
    return await model.complete(ChatRequest.ask("question"))


async def test_roles_and_contents_are_handed_on():
    model, asked = answering(AIMessage("answer"))
    request = ChatRequest.ask("question").then("first", "why?", "2")
    assert (await model.complete(request)).text == "answer"
    assert asked == [[("user", "question"), ("assistant", "first"), ("user", "why?")]]


async def test_usage_is_counted():
    usage = {"input_tokens": 11, "output_tokens": 5, "total_tokens": 16}
    completion = await complete(AIMessage("answer", usage_metadata=usage))
    assert (completion.input_tokens, completion.output_tokens) == (11, 5)


async def test_a_model_that_tells_no_usage():
    completion = await complete(AIMessage("answer"))
    assert (completion.input_tokens, completion.output_tokens) == (0, 0)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("plain", "plain"),
        (["one ", {"type": "text", "text": "two"}], "one two"),
        ([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "answer"}], "answer"),
        ([{"type": "tool_use", "id": "1", "name": "x", "input": {}}], ""),
    ],
)
async def test_content_blocks_are_text(content, text):
    assert (await complete(AIMessage(content))).text == text


async def test_reasoning_is_kept_apart():
    completion = await complete(AIMessage("answer", additional_kwargs={"reasoning_content": "because"}))
    assert (completion.text, completion.reasoning) == ("answer", "because")


async def test_a_plain_language_model_will_do():
    assert (await as_chat_model(FakeListLLM(responses=["text"])).complete(ChatRequest.ask("q"))).text == "text"


async def test_an_answer_that_is_no_message():
    with pytest.raises(ModelError, match="answered with int, which has no text content"):
        await complete(7)


async def test_a_models_own_error_passes():
    error = ConnectionError("reset")
    model = LangChainModel(FakeChat(raises={"question": [error]}))
    with pytest.raises(ConnectionError) as raised:
        await model.complete(ChatRequest.ask("question"))
    assert raised.value is error


def test_names_without_a_key():
    class Keyed(FakeChat):
        model_name: str = "gpt-4o"
        api_key: str = "sk-secret"

    assert as_chat_model(Keyed()).name == "langchain:gpt-4o"
    assert as_chat_model(FakeChat()).name == "langchain:FakeChat"


def test_a_model_is_wrapped_once():
    model = as_chat_model(FakeChat())
    assert as_chat_model(model) is model


def test_a_model_with_settings_bound_will_do():
    assert as_chat_model(FakeChat().bind(stop=["x"])).name.startswith("langchain:")


@pytest.mark.parametrize(("given", "kind"), [("openai:gpt-4o", "str"), ({"api_key": "hunter2"}, "dict"), (3, "int")])
def test_a_model_of_the_wrong_kind_is_one_clear_error_without_its_text(given, kind):
    with pytest.raises(ModelError, match=rf"init_chat_model\('openai:gpt-4o-mini'\), not {kind}$"):
        as_chat_model(given)
