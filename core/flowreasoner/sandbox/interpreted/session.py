"""One session of pydantic-monty: a process that interprets a part of Python and reaches nothing else."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pydantic_monty as monty

from flowreasoner.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from flowreasoner.sandbox.base import Limits
    from flowreasoner.sandbox.verdict import Outcome

__all__ = ["TIER", "Ended", "Leash", "Lost", "Pools", "Printed", "Session", "said"]

TIER = "interpreter"

_MOST_SUSPENSIONS = 1 << 30  # the clock bounds them
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # on Windows, the second one is as final
_SLEEPS = {"time.sleep", "asyncio.sleep"}
_MOST_SAID = 300


class Pools(NamedTuple):
    """Where processes come from. One that has run a program is not used again; one that judges has run tests only."""

    programs: monty.Monty
    judges: monty.Monty


class Lost(Exception):
    """A session is over: it used too much, or its process has crashed.

    Attributes:
        outcome: What that makes of the test that was under way.
        detail: The same in words.
    """

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome, self.detail = outcome, detail


class Ended(Exception):
    """The caller has given the run up."""


class Leash:
    """Ends a run from another thread, whatever it is doing.

    Attributes:
        ended: Set when the run is to end.
    """

    def __init__(self) -> None:
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._processes: set[int] = set()

    def add(self, process: int | None) -> None:
        """Takes a session's process on.

        Raises:
            Ended: If the run is to end.
        """
        with self._lock:
            if self.ended.is_set():
                raise Ended
            if process:  # never 0: that would be this process and its whole group
                self._processes.add(process)

    def remove(self, process: int | None) -> None:
        """Lets a process go: from now on, it is not this run's any more."""
        with self._lock:
            self._processes -= {process}

    def end(self) -> None:
        """Ends the run."""
        with self._lock:
            self.ended.set()
            for process in self._processes:
                try:
                    os.kill(process, _KILL)
                except OSError:  # it has crashed just now
                    continue


class Printed:
    """The first part of what a program prints.

    Args:
        keep: How many bytes are kept of each stream; the rest is dropped.
    """

    def __init__(self, keep: int) -> None:
        self._room = {"stdout": keep, "stderr": keep}
        self._parts: dict[str, list[str]] = {"stdout": [], "stderr": []}

    def __call__(self, stream: str, text: str) -> None:
        """Takes in what is printed."""
        room = self._room[stream]
        if room > 0:
            data = text[:room].encode("utf-8", errors="replace")
            self._parts[stream].append(data[:room].decode(errors="ignore"))
            self._room[stream] = room - len(data)

    def text(self, stream: str) -> str:
        """Returns what was kept of a stream."""
        return "".join(self._parts[stream])


class Session:
    """A session, in which one piece of code after the other is run.

    Args:
        pool: Where the session's process comes from.
        leash: What may end the session from outside.
        limits: What it may use.
        printed: Where it prints to.
        turn_s: Seconds that it may compute at a stretch.
        feed_s: Seconds that one piece of code may compute, however often it asks the host for something.

    Raises:
        SandboxError: If there is no process to be had.
    """

    def __init__(
        self,
        pool: monty.Monty,
        leash: Leash,
        limits: Limits,
        printed: Callable[[str, str], None],
        *,
        turn_s: float,
        feed_s: float,
    ) -> None:
        self._leash, self._printed, self._memory_mib, self._turn_s = leash, printed, limits.memory_mib, turn_s
        self._session = pool.checkout(
            limits={
                "max_turn_duration_secs": turn_s,
                "max_feed_duration_secs": feed_s,
                "max_memory": limits.memory_mib << 20,
                "max_suspensions": _MOST_SUSPENSIONS,
            },
            os_policy={"sleep": "call_host", "random_start": {"seed": 0}},
            assert_message_annotations=False,
        )
        try:
            self._session.__enter__()
        except (RuntimeError, OSError, monty.MontyError) as error:
            raise SandboxError(f"the interpreter cannot be started: {error}") from error
        self._process = self._session.worker_pid
        try:
            leash.add(self._process)
        except Ended:
            self._session.__exit__(None, None, None)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the session."""
        self._leash.remove(self._process)
        self._session.__exit__(None, None, None)

    def feed(
        self,
        code: str,
        seconds: float,
        answers: Mapping[str, Callable[[tuple[Any, ...]], Any]] | None = None,
        **given: Any,
    ) -> monty.MontyComplete:
        """Runs a piece of code.

        Args:
            code: The code.
            seconds: How long it may take with its sleeping and what it asks for.
            answers: The functions of the host that it may call; each takes the arguments, and returns what
                `pydantic_monty.ExternalResult` describes.
            given: Global variables for it.

        Raises:
            Lost: If the session did not survive.
            Ended: If the caller has given the run up.
            MontyError: If the code raised, or was no code.
            SandboxError: If somebody else has killed the process.
        """
        began = time.monotonic()
        start = partial(self._session.feed_start, code, inputs=given, print_callback=self._printed)
        snapshot: Any = self._step(start)
        while not isinstance(snapshot, monty.MontyComplete):
            left = began + seconds - time.monotonic()
            snapshot = self._step(self._answer(snapshot, left, answers or {}))
        return snapshot

    def _answer(self, snapshot: Any, left: float, answers: Mapping[str, Any]) -> Callable[[], Any]:
        """Returns the next step of code that waits for the host."""
        name = snapshot.function_name if isinstance(snapshot, monty.FunctionSnapshot) else ""
        if left > 0 and name in _SLEEPS and snapshot.is_os_function:
            left -= snapshot.args[0]
            if left > 0:
                self._leash.ended.wait(snapshot.args[0])
                return partial(snapshot.resume, {"return_value": None})
        if left <= 0:
            raise Lost("timeout", f"took longer than {self._turn_s:g} s")
        if name in answers and not snapshot.is_os_function:
            return partial(snapshot.resume, answers[name](snapshot.args))
        step: Callable[[], Any] = snapshot.resume_auto  # no such name, no such module, no such file
        return step

    def _step(self, step: Callable[[], Any]) -> Any:
        if self._leash.ended.is_set():
            raise Ended
        try:
            return step()
        except monty.MontyCrashedError as error:
            if self._leash.ended.is_set():
                raise Ended from None
            if error.timed_out:
                raise Lost("timeout", f"took longer than {self._turn_s:g} s") from None
            if "SIGKILL" in str(error):
                raise SandboxError(f"the interpreter was killed from outside: {error}") from error
            raise Lost("error", f"the interpreter has crashed: {error}"[:_MOST_SAID]) from None
        except monty.MontyRuntimeError as error:
            raised = error.exception()
            if isinstance(raised, TimeoutError) and "time limit exceeded" in str(raised):
                raise Lost("timeout", f"took longer than {self._turn_s:g} s") from None
            if isinstance(raised, MemoryError) and "memory limit" in str(raised):
                raise Lost("error", f"used more than {self._memory_mib} MiB of memory") from None
            raise


def said(error: BaseException) -> str:
    """Returns an exception, the interpreter's own ones included, as ``Type: message``, cut to a readable length."""
    if isinstance(error, monty.MontyError):
        error = error.exception()
    text = str(error)[:_MOST_SAID]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
