import asyncio

import pytest

from flowreasoner.errors import ModelError
from flowreasoner.models import ChatRequest, FunctionModel, ScriptedModel
from flowreasoner.models.shared import SharedModel


async def test_the_same_request_is_asked_once_also_at_the_same_time():
    inner = FunctionModel(lambda request: f"{request.messages[0].content} {len(inner.history)}")
    model = SharedModel(inner)
    asked = [ChatRequest.ask(text, draw=draw) for text, draw in ("a1", "a1", "a2", "b1", "a1")]
    answers = await asyncio.gather(*map(model.complete, asked))
    assert [answer.text for answer in answers] == ["a 1", "a 1", "a 2", "b 3", "a 1"]
    assert [answer.cached for answer in answers] == [False, True, False, False, True]
    assert answers[1].spending.tokens == answers[0].spending.tokens
    assert (await model.complete(asked[0])).text == "a 1"
    assert (model.asked, model.shared, len(inner.history)) == (3, 3, 3)


async def test_the_oldest_answers_are_forgotten():
    inner = FunctionModel(lambda request: request.messages[0].content)
    model = SharedModel(inner, most=2)
    for text in "abcba":
        assert (await model.complete(ChatRequest.ask(text))).text == text
    assert [request.messages[0].content for request in inner.history] == ["a", "b", "c", "a"]


async def test_a_failure_is_not_kept():
    model = SharedModel(ScriptedModel([ModelError("busy"), "there"]))
    both = await asyncio.gather(*(model.complete(ChatRequest.ask("a")) for _ in "12"), return_exceptions=True)
    assert [str(error) for error in both] == ["busy", "busy"]
    assert (await model.complete(ChatRequest.ask("a"))).text == "there"


async def test_who_stops_waiting_does_not_take_the_answer_from_others():
    ready = asyncio.Event()

    async def answer(_):
        await ready.wait()
        return "there"

    model = SharedModel(FunctionModel(answer))
    first, second = (asyncio.ensure_future(model.complete(ChatRequest.ask("a"))) for _ in "12")
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    ready.set()
    assert (await second).text == "there"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_closing_gives_up_what_is_being_asked():
    model = SharedModel(FunctionModel(lambda _: asyncio.Event().wait()))
    waiting = asyncio.ensure_future(model.complete(ChatRequest.ask("a")))
    await asyncio.sleep(0)
    await model.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert len(asyncio.all_tasks()) == 1
