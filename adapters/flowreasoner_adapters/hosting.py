"""What adapters need to run asynchronous work inside a host framework: a loop of their own, and a sandbox per loop."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import finalize

from flowreasoner.sandbox import best_sandbox, make_sandbox

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from flowreasoner.sandbox import Sandbox

__all__ = ["Sandboxes", "run_sync"]

_Result = TypeVar("_Result")
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_beside: contextvars.ContextVar[bool] = contextvars.ContextVar("flowreasoner_beside", default=False)


def run_sync(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Runs a coroutine to its end from synchronous code, also where an event loop is running, e.g. in a notebook.

    It runs in one background thread, with the caller's context variables, so that a framework's callbacks and
    settings hold inside, and connections and sandboxes are kept between calls.

    Args:
        work: The coroutine.

    Raises:
        Exception: Whatever the coroutine raises.
    """
    loop, context = _background(), contextvars.copy_context()
    if context.run(_is_waiting, loop):
        return _run_beside(work, context)
    started: asyncio.Future[Any] | None = None
    done = threading.Event()
    outcome: list[Any] = []

    def start() -> None:
        nonlocal started
        started = loop.create_task(work, context=context)
        started.add_done_callback(finish)

    def finish(task: asyncio.Future[Any]) -> None:
        outcome.append(task)
        done.set()

    loop.call_soon_threadsafe(start)
    try:
        done.wait()
    except BaseException:  # Ctrl-C: what was started ends, too
        loop.call_soon_threadsafe(lambda: started and started.cancel())
        raise
    result: _Result = outcome[0].result()
    return result


def _is_waiting(loop: asyncio.AbstractEventLoop) -> bool:
    """Tells whether the background loop itself is what waits, e.g. as a metric that it calls runs a program."""
    try:
        return _beside.get() or asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _run_beside(work: Coroutine[Any, Any, _Result], context: contextvars.Context) -> _Result:
    """Runs a coroutine in a thread and a loop of its own."""
    context.run(_beside.set, True)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(context.run, asyncio.run, work).result()


def _background() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None or _loop.is_closed():
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="flowreasoner", daemon=True).start()
        return _loop


class Sandboxes:
    """Gives each event loop the sandbox that was asked for, made on first use.

    Args:
        wanted: A sandbox, which is used as it is; the name of a tier; or None for the strongest that isolates.
    """

    def __init__(self, wanted: Sandbox | str | None = None) -> None:
        self._wanted = wanted
        self._made: dict[asyncio.AbstractEventLoop, Sandbox] = {}
        finalize(self, _close, self._made)

    def here(self) -> Sandbox:
        """Returns the sandbox of the running event loop.

        Raises:
            IsolationUnavailable: If the tier cannot be had on this machine.
        """
        if self._wanted is not None and not isinstance(self._wanted, str):
            return self._wanted
        loop = asyncio.get_running_loop()
        if loop not in self._made:
            _close({other: self._made.pop(other) for other in list(self._made) if other.is_closed()})
            self._made[loop] = best_sandbox() if self._wanted is None else make_sandbox(self._wanted)
        return self._made[loop]

    def __deepcopy__(self, memo: dict[int, Any]) -> Sandboxes:
        return Sandboxes(self._wanted)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Sandboxes, (self._wanted if isinstance(self._wanted, str) else None,))


def _close(made: Mapping[asyncio.AbstractEventLoop, Sandbox]) -> None:
    """Ends the processes of sandboxes that nobody can use any more; closing them waits for nothing."""
    for sandbox in made.values():
        with contextlib.suppress(StopIteration):
            sandbox.aclose().send(None)
