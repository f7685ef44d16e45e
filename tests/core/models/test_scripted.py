import pytest

from flowreasoner.errors import ModelError
from flowreasoner.models import ChatRequest, Completion, FunctionModel, ScriptedModel


async def test_scripted_replies_come_in_order_and_leave_a_history():
    model = ScriptedModel(["one", Completion("two", usd=3.0)])
    assert (await model.complete(ChatRequest.ask("first"))).text == "one"
    assert (await model.complete(ChatRequest.ask("second"))).usd == 3.0
    assert [request.messages[0].content for request in model.history] == ["first", "second"]


async def test_a_scripted_exception_is_raised():
    model = ScriptedModel([ModelError("down")])
    with pytest.raises(ModelError, match="down"):
        await model.complete(ChatRequest.ask("x"))


async def test_a_request_after_the_end_names_what_was_asked():
    model = ScriptedModel(["only"])
    await model.complete(ChatRequest.ask("a"))
    with pytest.raises(ModelError, match=r"the script has 1 replies, and request 2 asks: 'what now\?'"):
        await model.complete(ChatRequest.ask("what now?"))


async def test_a_function_model_may_be_async():
    async def echo(request):
        return request.messages[-1].content.upper()

    assert (await FunctionModel(echo).complete(ChatRequest.ask("abc"))).text == "ABC"
