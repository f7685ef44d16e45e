"""A `dspy.LM` that answers from a function, without network: DSPy's own LM class over a scripted engine."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import dspy
from dspy.lm15 import Message, Response, TextPart, Usage, response_to_events

__all__ = ["Script", "scripted_lm"]

_FIELD = re.compile(r"`\[\[ ## (\w+) ## \]\]`")


class Script:
    """What the LM answers, and what it was asked.

    Args:
        answer: ``answer(prompt, field) -> value`` for each output field that DSPy's adapter asks for.
        delay: Seconds that each call takes.
        raw: ``raw(prompt) -> text`` of a whole reply, or None for a well-formed one.
    """

    def __init__(
        self,
        answer: Callable[[str, str], Any],
        delay: float = 0.0,
        raw: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self.answer, self.delay, self.raw = answer, delay, raw
        self.prompts: list[str] = []
        self.running = self.most = 0
        self._lock = threading.Lock()

    def start(self, request: Any) -> str:
        """Notes a request and returns its text."""
        text = _text(request)
        with self._lock:
            self.prompts.append(text)
            self.running += 1
            self.most = max(self.most, self.running)
        return text

    def end(self, request: Any, text: str) -> Response:
        """Returns the reply to a request."""
        with self._lock:
            self.running -= 1
        return Response(
            id=None,
            model="scripted",
            message=Message.assistant([TextPart(self.reply(text, request.messages[-1].text or ""))]),
            finish_reason="stop",
            usage=Usage(input_tokens=3, output_tokens=2, total_tokens=5),
        )

    def reply(self, text: str, last: str) -> str:
        """Returns a reply in the form that is asked for: DSPy's chat markers, JSON, or plain text."""
        raw = self.raw(text)
        if raw is not None:
            return raw
        names = [name for name in dict.fromkeys(_FIELD.findall(last)) if name != "completed"]
        if names:
            body = "".join(f"[[ ## {name} ## ]]\n{_shown(self.answer(text, name))}\n\n" for name in names)
            return body + "[[ ## completed ## ]]"
        if "Respond with a JSON object" in last:
            names = re.findall(r"`(\w+)`", last.rsplit("Respond with a JSON object", 1)[1])
            return json.dumps({name: self.answer(text, name) for name in names})
        return str(self.answer(text, ""))


def _text(request: Any) -> str:
    system = request.system
    system = system if isinstance(system, str) else "".join(part.text for part in system or [])
    return system + "\n" + "\n".join(message.text or "" for message in request.messages)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class _Engine:
    def __init__(self, script: Script) -> None:
        self.script = script

    def complete(self, request: Any) -> Response:
        text = self.script.start(request)
        time.sleep(self.script.delay)
        return self.script.end(request, text)

    def stream(self, request: Any) -> Iterator[Any]:
        return iter(response_to_events(self.complete(request)))

    def close(self) -> None:
        pass


class _AsyncEngine:
    def __init__(self, script: Script) -> None:
        self.script = script

    async def complete(self, request: Any) -> Response:
        text = self.script.start(request)
        await asyncio.sleep(self.script.delay)
        return self.script.end(request, text)

    async def stream(self, request: Any) -> AsyncIterator[Any]:
        for event in response_to_events(await self.complete(request)):
            yield event

    async def aclose(self) -> None:
        pass


def scripted_lm(script: Script, *, cache: bool = False, **settings: Any) -> dspy.LM:
    """Returns an LM that answers by a script."""
    engines = {"engine": _Engine(script), "async_engine": _AsyncEngine(script)}
    return dspy.LM(f"fake/{id(script)}", **engines, cache=cache, **settings)
