import asyncio
import base64
import json
import traceback

import pytest
from chat_server import ChatServer, Fault

from flowreasoner.errors import ModelError, ModelRefused, RequestRefused
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
        (Fault(status=400), RequestRefused, r"refused the request \(HTTP 400\)"),
        (Fault(status=402), ModelError, r"failed \(HTTP 402\)"),
        (Fault(status=503), ModelError, r"failed, after up to 1 retry \(HTTP 503\)"),
        (Fault(status=429), ModelError, r"failed, after up to 1 retry \(HTTP 429\)"),
        (Fault(malformed=True), ModelError, r"gave no usable reply in 2 attempts: the reply has no choices"),
    ],
)
async def test_a_lasting_failure_names_model_and_reason(fault, kind, message):
    with ChatServer(lambda _: "x", faults=dict.fromkeys(range(20), fault)) as server:
        with pytest.raises(kind, match=message) as caught:
            await _ask(f"openai:my-model?base_url={server.url}&retries=1")
        assert "openai:my-model" in str(caught.value)


async def test_an_empty_reply_is_no_reply_but_is_paid():
    with ChatServer(lambda _: "  ") as server, pytest.raises(ModelError, match="the reply is empty") as caught:
        await _ask(f"openai:m?base_url={server.url}&price=1,1")
    assert caught.value.spent.input_tokens == 300
    assert caught.value.spent.usd == pytest.approx(300 / 1e6)


def _reply(body, *, kind="application/json"):
    text = body if isinstance(body, str) else json.dumps(body)
    return Fault(raw=f"HTTP/1.1 200 X\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n{text}".encode())


def _stream(*events):
    return _reply("".join(f"data: {json.dumps(event)}\n\n" for event in events), kind="text/event-stream")


CUT = b"HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nff\r\ndata: {"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stream", "fault", "reason"),
    [
        (0, _reply({"choices": [{"message": "hello"}]}), "the reply is empty"),
        (0, _reply({"choices": [None]}), "no choices"),
        (0, _reply({"choices": {}}), "no choices"),
        (0, _reply([]), "no choices"),
        (0, _reply({"choices": [{"message": {"content": 7}}]}), "the content is no text: int"),
        (0, _reply({"choices": [{"message": {"content": None, "tool_calls": [{}]}}]}), "the reply is empty"),
        (0, _reply({"error": {"message": "overloaded"}}), "the server says: overloaded"),
        (0, _reply("<html>no</html>", kind="text/html"), "JSONDecodeError"),
        (0, Fault(raw=CUT), "ProtocolError"),
        (1, _stream({"choices": [None]}), "no choices"),
        (1, _stream({"choices": [{"delta": None}]}), "no choices"),
        (1, _stream({"choices": [{"delta": {"content": "x"}}]}), "broke off"),
        (1, _stream({"choices": [{"delta": "x", "finish_reason": "stop"}]}), "the reply is empty"),
        (1, _stream({"error": {"message": "overloaded"}}), "overloaded"),
        (1, _reply("data: {not json\n\n", kind="text/event-stream"), "JSONDecodeError"),
        (1, Fault(raw=CUT), "ProtocolError"),
    ],
)
async def test_whatever_a_server_sends_is_asked_for_again_and_then_named(stream, fault, reason):
    with ChatServer(lambda _: "fine", faults=dict.fromkeys(range(3), fault)) as server:
        with pytest.raises(ModelError, match=f"gave no usable reply in 3 attempts: .*{reason}"):
            await _ask(f"openai:m?base_url={server.url}&stream={stream}&retries=2")
        (reply,) = await _ask(f"openai:m?base_url={server.url}&stream={stream}&retries=2")
    assert reply.text == "fine"


@pytest.mark.parametrize(
    ("usage", "tokens", "estimated"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 5}, (7, 5), False),
        ({"prompt_tokens": 7, "total_tokens": 12}, (7, 5), False),
        ({"prompt_tokens": -(10**9), "completion_tokens": 5}, (2, 5), True),
        ({"prompt_tokens": 1e400, "completion_tokens": None}, (2, 1), True),
        ({"prompt_tokens": 0, "completion_tokens": 0}, (2, 1), True),
        ("much", (2, 1), True),
    ],
)
async def test_usage_is_counted_or_estimated_and_never_negative(usage, tokens, estimated):
    body = {"choices": [{"message": {"content": [{"type": "text", "text": "fine"}]}}], "usage": usage}
    text = json.dumps(body).replace("Infinity", "1e400")
    with ChatServer(lambda _: "", faults={0: _reply(text)}) as server:
        (reply,) = await _ask(f"openai:m?base_url={server.url}")
    assert (reply.text, reply.input_tokens, reply.output_tokens, reply.estimated) == ("fine", *tokens, estimated)


SECRET = "sk-a-secret/key"
HEADS = {0: b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\n\r\n", 1: CUT.partition(b"Transfer")[0] + b"\r\n"}


@pytest.mark.parametrize("stream", [0, 1])
async def test_a_server_that_drips_does_not_hold_us_for_ever(stream):
    with (
        ChatServer(lambda _: "", faults={0: Fault(raw=HEADS[stream], drip=0.1)}) as server,
        pytest.raises(ModelError, match=r"took longer than 0.5 s"),
    ):
        await asyncio.wait_for(_ask(f"openai:m?base_url={server.url}&stream={stream}&timeout=0.5&retries=0"), 10)


@pytest.mark.parametrize("stream", [0, 1])
@pytest.mark.parametrize(
    "form", ["sk-a-secret/key", "sk-a-secret%2Fkey", base64.b64encode(b"sk-a-secret/key").decode()]
)
async def test_a_key_that_comes_back_is_shown_nowhere(stream, form, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    page = _reply(f"<html>rejected Authorization: Bearer {form}</html>", kind="text/html")
    with ChatServer(lambda _: f"your key is {form}", faults=dict.fromkeys(range(3), page)) as server:
        uri = f"openai:m?base_url={server.url}&stream={stream}"
        with pytest.raises(ModelError) as caught:
            await _ask(uri)
        (reply,) = await _ask(uri)
    assert form not in "".join(traceback.format_exception(caught.value))
    assert reply.text == "your key is ***"


@pytest.mark.parametrize("fault", [Fault(status=429), Fault(status=500), Fault(malformed=True)])
async def test_no_retries_means_one_request(fault):
    with ChatServer(lambda _: "x", faults={0: fault}) as server:
        with pytest.raises(ModelError):
            await _ask(f"openai:m?base_url={server.url}&retries=0")
        assert len(server.requests) == 1


async def test_models_of_one_endpoint_share_their_limit():
    with ChatServer(lambda _: "x", latency=0.05) as server:
        uri = f"openai:shared?base_url={server.url}&concurrency=2"
        await asyncio.gather(*(_ask(uri, count=3) for _ in range(4)))
        assert server.most_at_once == 2
        assert len(server.requests) == 12


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
