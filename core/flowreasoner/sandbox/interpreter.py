"""The tier without an operating system's help: an interpreter of a part of Python, for any platform."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from flowreasoner.errors import IsolationUnavailable, SandboxError
from flowreasoner.sandbox.base import Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from flowreasoner.sandbox.interpreted.session import Leash, Pools
    from flowreasoner.sandbox.suite import Suite
    from flowreasoner.sandbox.verdict import RunOutput, Verdict

__all__ = ["Interpreter"]

_Result = TypeVar("_Result")


class _Engine(NamedTuple):
    pools: Pools
    threads: ThreadPoolExecutor


class Interpreter:
    """Runs programs in pydantic-monty, which interprets a part of Python in processes that reach nothing.

    There is no file, no network and no process for a program to find, on Linux, macOS and Windows alike. The
    price is what the interpreter does not know: most of the library, classes with bases, generators. A program
    or a test that needs such a thing gets an error that says so, never a pass.

    The tests run in a session and a process of their own, and only plain data passes between the two. A run
    has a thread of its own, and threads are as many as there may be runs at the same time; further calls wait
    for one. Cancelling a call ends the run that it started. One object serves several event loops in turn.

    Times are wall-clock times: this tier cannot tell what a run waited for a busy core.

    Args:
        limits: What each run may use; those on processes and files have nothing to limit here.
        workers: Runs at the same time; the number of cores unless given.

    Raises:
        IsolationUnavailable: If pydantic-monty is not installed.
    """

    tier = "interpreter"
    isolated = True

    def __init__(self, *, limits: Limits | None = None, workers: int | None = None) -> None:
        try:
            import pydantic_monty  # noqa: F401
        except ImportError as error:
            raise IsolationUnavailable(
                "the sandbox tier 'interpreter' is not available here: the interpreter is not installed "
                f"(pip install 'flowreasoner[interpreter]'): {error}"
            ) from error
        if workers is not None and workers < 1:
            raise ValueError(f"an interpreter needs at least one worker, not {workers}")
        self.limits = limits or Limits()
        self.workers = workers or os.cpu_count() or 1
        self._lock = threading.Lock()
        self._engine: _Engine | None = None
        self._leashes: set[Leash] = set()

    async def grade(self, code: str, suite: Suite) -> Verdict:
        """Runs `suite` against `code`; see `flowreasoner.sandbox.Sandbox.grade`."""
        from flowreasoner.sandbox.interpreted.run import SuiteRun
        from flowreasoner.sandbox.interpreted.script import grade_io

        if suite.format in {"unittest", "command"}:
            raise SandboxError(
                f"the sandbox tier 'interpreter' cannot run {suite.format!r} tests: it has no such modules and no "
                "commands; use tier 'jail' or 'landlock'"
            )
        if suite.format == "io":
            return await self._in_thread(lambda pools, leash: grade_io(pools, self.limits, leash, code, suite))
        return await self._in_thread(lambda pools, leash: SuiteRun(pools, self.limits, leash, code, suite).verdict())

    async def run(self, code: str, stdin: str = "") -> RunOutput:
        """Runs `code` as a script; see `flowreasoner.sandbox.Sandbox.run`."""
        from flowreasoner.sandbox.interpreted.script import run_script

        return await self._in_thread(lambda pools, leash: run_script(pools, self.limits, leash, code, stdin))

    async def aclose(self) -> None:
        """Ends all runs and processes; the next run would start new ones."""
        with self._lock:
            engine, self._engine = self._engine, None
            for leash in self._leashes:
                leash.end()
        if engine is not None:
            await asyncio.to_thread(_close, engine)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _in_thread(self, work: Callable[[Pools, Leash], _Result]) -> _Result:
        """Does a run's blocking work in a thread, and ends it if the caller goes away."""
        from flowreasoner.sandbox.interpreted.session import Ended, Leash

        leash = Leash()
        with self._lock:
            engine = self._started()
            self._leashes.add(leash)
            job = engine.threads.submit(work, engine.pools, leash)
        waiting = asyncio.wrap_future(job)
        waiting.add_done_callback(lambda done: done.cancelled() or done.exception())  # it may have no reader left
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            if not job.cancel():
                leash.end()
                with contextlib.suppress(asyncio.CancelledError):  # a second one: the thread ends all the same
                    await asyncio.wait([waiting])
            raise
        except Ended:
            raise SandboxError("the sandbox was closed during a run") from None
        finally:
            job.cancel()  # these two are for a coroutine that was closed: nothing else has ended the run then
            leash.end()
            with self._lock:
                self._leashes.discard(leash)

    def _started(self) -> _Engine:
        if self._engine is None:
            import pydantic_monty as monty

            from flowreasoner.sandbox.interpreted.session import Pools

            backstop_s = 2 * self.limits.wall_s + 10
            try:
                programs = monty.Monty(
                    min_processes=0, max_processes=self.workers, max_checkouts_per_worker=1, request_timeout=backstop_s
                )
                judges = monty.Monty(min_processes=0, max_processes=self.workers, request_timeout=backstop_s)
                pools = Pools(programs.__enter__(), judges.__enter__())
            except (RuntimeError, OSError, monty.MontyError) as error:
                raise SandboxError(f"the interpreter cannot be started: {error}") from error
            self._engine = _Engine(pools, ThreadPoolExecutor(self.workers, "interpreter"))
        return self._engine


def _close(engine: _Engine) -> None:
    engine.threads.shutdown()
    for pool in engine.pools:
        pool.__exit__(None, None, None)
