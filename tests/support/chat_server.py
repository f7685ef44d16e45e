"""A real HTTP server that speaks OpenAI's chat protocol, for tests and benchmarks: counts, delays, misbehaves."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ChatServer", "Fault"]


@dataclass(frozen=True)
class Fault:
    """How the server misbehaves on one request.

    Attributes:
        status: HTTP status to fail with, or 0.
        retry_after: Seconds sent in ``Retry-After``.
        malformed: Answer 200 with something that is no completion.
        cut: Break the connection off after half of the reply.
        reasoning: Send this in the reasoning field, beside the answer.
        delay: Seconds to wait before answering.
        raw: Bytes sent as they are, whole reply with its head, before the connection is closed.
        drip: Seconds between the bytes of `raw`, of which there is no end.
    """

    status: int = 0
    retry_after: float | None = None
    malformed: bool = False
    cut: bool = False
    reasoning: str = ""
    delay: float = 0.0
    raw: bytes = b""
    drip: float = 0.0


@dataclass
class ChatServer:
    """Serves ``/v1/chat/completions`` on a free port of the loopback interface, in a thread of its own.

    Args:
        answer: Reply's text for a request's JSON body.
        faults: What to do wrong, by 0-based index of the request.
        latency: Seconds every request takes.
        key: If set, requests with another key get 401.
    """

    answer: Callable[[dict[str, Any]], str]
    faults: dict[int, Fault] = field(default_factory=dict)
    latency: float = 0.0
    key: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    answered: list[dict[str, Any]] = field(default_factory=list)
    most_at_once: int = 0

    def __enter__(self) -> ChatServer:
        self._loop = asyncio.new_event_loop()
        self._now = 0
        started = threading.Event()

        def serve() -> None:
            asyncio.set_event_loop(self._loop)
            self._server = self._loop.run_until_complete(asyncio.start_server(self._talk, "127.0.0.1", 0))
            self.port = self._server.sockets[0].getsockname()[1]
            started.set()
            self._loop.run_forever()

        self._thread = threading.Thread(target=serve, daemon=True)
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        """Base URL for clients."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._serve_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the server is being stopped
        finally:
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or b"{}")
        index = len(self.requests)
        self.requests.append(body)
        fault = self.faults.get(index, Fault())
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await asyncio.sleep(self.latency + fault.delay)
        self._now -= 1
        if self.key and headers.get("authorization") != f"Bearer {self.key}":
            error = {"error": {"message": f"Incorrect API key: {headers.get('authorization', '')[7:]}"}}
            return await self._send(writer, 401, error, {})
        if fault.status:
            extra = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after}"}
            return await self._send(writer, fault.status, {"error": {"message": "as told"}}, extra)
        if fault.raw:
            return await self._send_raw(writer, fault)
        if fault.malformed:
            return await self._send(writer, 200, {"surprise": True}, {})
        text = self.answer(body)
        self.answered.append(body)
        if body.get("stream"):
            return await self._stream(writer, text, fault)
        return await self._send(writer, 200, _completion(text, fault), {})

    async def _send_raw(self, writer: asyncio.StreamWriter, fault: Fault) -> bool:
        writer.write(fault.raw)
        await writer.drain()
        while fault.drip:
            await asyncio.sleep(fault.drip)
            writer.write(b": \n\n" if b"event-stream" in fault.raw else b" ")
            await writer.drain()
        return False

    async def _send(self, writer: asyncio.StreamWriter, status: int, value: Any, extra: dict[str, str]) -> bool:
        data = json.dumps(value).encode()
        lines = [f"HTTP/1.1 {status} X", "Content-Type: application/json", f"Content-Length: {len(data)}"]
        lines += [f"{name}: {text}" for name, text in extra.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        await writer.drain()
        return True

    async def _stream(self, writer: asyncio.StreamWriter, text: str, fault: Fault) -> bool:
        writer.write(b"HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        pieces = [text[index : index + 40] for index in range(0, len(text), 40)]
        if fault.cut:
            pieces = pieces[: len(pieces) // 2]
        deltas: list[dict[str, Any]] = [{"reasoning_content": fault.reasoning}] if fault.reasoning else []
        deltas += [{"content": piece} for piece in pieces]
        for delta in deltas:
            _event(writer, {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
            await writer.drain()
        if not fault.cut:
            _event(writer, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            _event(writer, {"choices": [], "usage": _usage(text)})
            writer.write(b"data: [DONE]\n\n")
        await writer.drain()
        return False


def _event(writer: asyncio.StreamWriter, value: dict[str, Any]) -> None:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": "test"}
    writer.write(b"data: " + json.dumps(base | value).encode() + b"\n\n")


def _usage(text: str) -> dict[str, int]:
    return {"prompt_tokens": 100, "completion_tokens": len(text) // 4, "total_tokens": 100 + len(text) // 4}


def _completion(text: str, fault: Fault) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    if fault.reasoning:
        message["reasoning_content"] = fault.reasoning
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "test",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": _usage(text),
    }
