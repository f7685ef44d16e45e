"""One run of a program and its unittest classes in the same jail; see `inside.in_process` for what that is worth."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from flowreasoner.sandbox.contrary import contrary_of
from flowreasoner.sandbox.events import Events
from flowreasoner.sandbox.jails.channel import Channel, Output, socket_pair
from flowreasoner.sandbox.jails.judge import suite_job
from flowreasoner.sandbox.jails.separated import explain
from flowreasoner.sandbox.verdict import TestResult

if TYPE_CHECKING:
    from flowreasoner.sandbox.base import Limits
    from flowreasoner.sandbox.jails.jail import Ending, Jail
    from flowreasoner.sandbox.suite import Suite
    from flowreasoner.sandbox.verdict import Status

__all__ = ["InProcessRun"]

_TAMPERED = 99
_LONGEST_LINE = 1 << 20
_MARKS_KEPT = 1 << 12
_MARK = "sandbox: tampering: "


class InProcessRun:
    """Hands the tests to the jail when the program is loaded, and reads the report line by line.

    Args:
        guest: Jail of the program.
        limits: What the run may use.
        helpers: Whether the program may start processes.

    Attributes:
        status: How the run ended.
        cpu_s: CPU seconds used.
    """

    def __init__(self, guest: Jail, limits: Limits, *, helpers: bool) -> None:
        self._guest, self._limits, self._helpers = guest, limits, helpers
        self.status: Status = "ok"
        self.cpu_s = 0.0

    async def run(self, code: str, suite: Suite, output: Output) -> tuple[TestResult, ...]:
        """Runs the suite, and its contrary, which no right program passes.

        Args:
            code: The program.
            suite: The tests.
            output: Where program and tests print to.

        Raises:
            SandboxError: If the jail fails.
        """
        contrary, changed = contrary_of(suite)
        with Output(_MARKS_KEPT) as ignored:
            if secrets.randbelow(2):  # the program must not know from the order which of the two it is in
                against, status = await self._once(code, contrary, ignored)
                results, self.status = await self._once(code, suite, output)
            else:
                results, self.status = await self._once(code, suite, output)
                if not any(result.outcome == "pass" for result in results):
                    return results
                against, status = await self._once(code, contrary, ignored)
        if status == "tampered" and self.status != "tampered":
            results, self.status = against, status
        passed = {result.id for result in against if result.outcome == "pass"} & changed
        if not passed & {result.id for result in results if result.outcome == "pass"}:
            return results
        self.status = "tampered"
        return tuple(
            replace(result, outcome="error", detail="it passes whatever it expects") if result.id in passed else result
            for result in results
        )

    async def _once(self, code: str, suite: Suite, output: Output) -> tuple[tuple[TestResult, ...], Status]:
        events, nonce = Events(len(suite)), secrets.token_hex(16)
        job = {
            "mode": "unittest",
            "code": code,
            "entry_point": suite.entry_point,
            "imports": suite.imports,
            "nonce": nonce,
            "test_s": self._limits.test_s,
            "helpers": self._helpers,
        }
        output.listen()
        channel, theirs = socket_pair()
        reading, writing = os.pipe()
        with channel, theirs, os.fdopen(reading, "rb") as tests, os.fdopen(writing, "wb") as hand_out:
            given = {"channel": theirs.fileno(), "second": tests.fileno()}
            await self._guest.begin(job, given | {"stdout": output.fileno(), "stderr": output.fileno()})
            theirs.close()
            tests.close()
            try:
                honest = await self._read(channel, nonce, events, suite, hand_out)
                ending = await self._guest.ended(float("inf")) if honest else None  # the jail keeps the time
            finally:
                self._guest.end()
            ending = ending or await self._guest.ended()
        self.cpu_s += ending.cpu_s
        if not honest or ending.exit_code == _TAMPERED or (events.done and ending.exit_code != 0):
            return self._tampered(suite, output), "tampered"
        return self._results(suite, events, ending)

    async def _read(self, channel: Channel, nonce: str, events: Events, suite: Suite, hand_out: BinaryIO) -> bool:
        """Takes in the report, hands out the tests at its first line, and returns whether every line was genuine."""
        rest, count = b"", 0
        while chunk := await channel.receive_bytes():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                own, number, event = (*line.split(b" ", 2), b"", b"")[:3]
                if not secrets.compare_digest(own, nonce.encode()) or number != str(count).encode():
                    return False
                count += 1
                with contextlib.suppress(ValueError, RecursionError):
                    events.add(json.loads(event))
            if len(rest) > _LONGEST_LINE:
                return False
            if events.ready and not hand_out.closed:
                await asyncio.to_thread(_hand_out, hand_out, json.dumps(suite_job(suite)).encode())
        return not rest

    @staticmethod
    def _tampered(suite: Suite, output: Output) -> tuple[TestResult, ...]:
        _, found, why = output.text().rpartition(_MARK)
        detail = "tampering with the tests was found" + (f": {why.splitlines()[0][:200]}" if found and why else "")
        return tuple(TestResult(case.id, "error", case.source, detail) for case in suite.cases)

    def _results(self, suite: Suite, events: Events, ending: Ending) -> tuple[tuple[TestResult, ...], Status]:
        status: Status = "ok"
        words = ""
        if not events.done and not events.load_error:
            outcome, words = explain(ending, self._limits, helpers=self._helpers)
            status = "timeout" if outcome == "timeout" else "died"
        return events.results(suite, timed_out=status == "timeout", ending=words), status


def _hand_out(pipe: BinaryIO, tests: bytes) -> None:
    with contextlib.suppress(OSError), pipe:
        pipe.write(tests)
