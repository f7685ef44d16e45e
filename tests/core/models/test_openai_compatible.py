import asyncio

import pytest
from chat_server import ChatServer, Fault

from flowreasoner.errors import ModelError, ModelRefused
from flowreasoner.models import ChatRequest, model_from_uri


async def _ask(uri, *, count=1, **options):
    model = model_from_uri(uri)
    try:
        asked = [model.complete(ChatRequest.ask(f"question {index}", **options)) for index in range(count)]
        return await asyncio.gather(*asked)
    finally:
        await model.aclose()


@pytest.mark.parametrize("stream", ["0", "1"])
async def test_a_reply_comes_with_usage_price_and_reasoning(stream):
    with ChatServer(lambda _: "the answer " * 20, faults={0: Fault(reasoning="let me think")}) as server:
        (reply,) = await _ask(f"openai:m?base_url={server.url}&price=10,20&stream={stream}")
    assert reply.text == "the answer " * 20
    assert reply.reasoning == "let me think"
    assert (reply.input_tokens, reply.output_tokens) == (100, 55)
    assert reply.usd == pytest.approx((10 * 100 + 20 * 55) / 1e6)
    assert not reply.estimated


@pytest.mark.parametrize("stream", ["0", "1"])
@pytest.mark.parametrize(
    "fault", [Fault(status=429, retry_after=0.05), Fault(status=500), Fault(malformed=True), Fault(delay=0.2)]
)
async def test_one_bad_reply_is_survived(stream, fault):
    with ChatServer(lambda _: "fine", faults={0: fault}) as server:
        (reply,) = await _ask(f"openai:m?base_url={server.url}&stream={stream}")
        assert reply.text == "fine"
        assert len(server.requests) == (1 if fault.delay else 2)


async def test_a_stream_that_breaks_off_is_asked_again():
    with ChatServer(lambda _: "a long answer " * 30, faults={0: Fault(cut=True)}) as server:
        (reply,) = await _ask(f"openai:m?base_url={server.url}&stream=1")
        assert reply.text == "a long answer " * 30
        assert len(server.requests) == 2


async def test_retry_after_is_honoured():
    with ChatServer(lambda _: "fine", faults={0: Fault(status=429, retry_after=1.2)}) as server:
        loop = asyncio.get_running_loop()
        start = loop.time()
        await _ask(f"openai:m?base_url={server.url}")
        assert loop.time() - start >= 1.2


async def test_sampling_options_are_sent_and_part_of_the_name():
    with ChatServer(lambda _: "x") as server:
        uri = f"openai:m?base_url={server.url}&temperature=0.25&max_tokens=7&seed=3&top_p=0.9"
        await _ask(uri)
        sent = server.requests[0]
        assert (sent["model"], sent["temperature"], sent["max_tokens"], sent["seed"], sent["top_p"]) == (
            "m",
            0.25,
            7,
            3,
            0.9,
        )
        assert "temperature=0.25" in model_from_uri(uri).name


async def test_purpose_and_draw_are_never_sent():
    with ChatServer(lambda _: "x") as server:
        await _ask(f"openai:m?base_url={server.url}", draw="DRAW-7", purpose="PURPOSE-7")
        assert "DRAW-7" not in str(server.requests)
        assert "PURPOSE-7" not in str(server.requests)


async def test_no_more_requests_at_once_than_allowed():
    with ChatServer(lambda _: "x", latency=0.05) as server:
        await _ask(f"openai:m?base_url={server.url}&concurrency=3", count=12)
        assert server.most_at_once == 3
        assert len(server.requests) == 12


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (Fault(status=404), ModelRefused, r"does not exist at this endpoint \(HTTP 404\)"),
        (Fault(status=400), ModelRefused, r"refused the request \(HTTP 400\)"),
        (Fault(status=503), ModelError, r"failed after 1 retries \(HTTP 503\)"),
        (Fault(malformed=True), ModelError, r"gave no usable reply in 3 attempts: the reply has no choices"),
    ],
)
async def test_a_lasting_failure_names_model_and_reason(fault, kind, message):
    with ChatServer(lambda _: "x", faults=dict.fromkeys(range(20), fault)) as server:
        with pytest.raises(kind, match=message) as caught:
            await _ask(f"openai:my-model?base_url={server.url}&retries=1")
        assert "openai:my-model" in str(caught.value)


async def test_an_empty_reply_is_no_reply():
    with ChatServer(lambda _: "  ") as server, pytest.raises(ModelError, match="the reply is empty"):
        await _ask(f"openai:m?base_url={server.url}")


async def test_a_wrong_key_is_refused_at_once_and_not_repeated(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-this-is-a-secret")
    with ChatServer(lambda _: "x", key="the-right-one") as server:
        with pytest.raises(ModelRefused, match=r"refused the API key \(HTTP 401\)") as caught:
            await _ask(f"openai:m?base_url={server.url}")
        assert len(server.requests) == 1
    # The server echoes the key in its message, as real ones do in part.
    assert "sk-this-is-a-secret" not in str(caught.value)
    assert "***" in str(caught.value)


async def test_an_unreachable_server_is_named():
    with pytest.raises(ModelError, match=r"cannot reach openai:m\?base_url=http://127.0.0.1:9/v1"):
        await _ask("openai:m?base_url=http://127.0.0.1:9/v1&retries=0")


async def test_missing_usage_is_estimated(monkeypatch):
    monkeypatch.setattr("chat_server._usage", lambda _: None)
    with ChatServer(lambda _: "12345678") as server:
        (reply,) = await _ask(f"openai:m?base_url={server.url}")
    assert reply.estimated
    assert (reply.input_tokens, reply.output_tokens) == (len("question 0") // 4, 2)


def test_a_model_can_be_used_in_several_event_loops():
    with ChatServer(lambda _: "x") as server:
        model = model_from_uri(f"openai:m?base_url={server.url}")

        async def once():
            reply = await model.complete(ChatRequest.ask("q"))
            await model.aclose()
            return reply.text

        assert [asyncio.run(once()), asyncio.run(once())] == ["x", "x"]
