"""An event loop in a thread of its own, for what a synchronous trainer has to wait for."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Sequence
    from types import TracebackType

__all__ = ["BackgroundLoop", "together"]

T = TypeVar("T")


class BackgroundLoop:
    """Runs coroutines for a caller without an event loop; always on the same loop, as models and sandboxes need it."""

    def __enter__(self) -> BackgroundLoop:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="flowreasoner-rollouts", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(_end_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine to its end and returns its result; an interruption of the caller cancels it.

        Raises:
            Exception: What the coroutine raises.
        """
        task = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return task.result()
        except BaseException:
            task.cancel()
            raise


async def together(work: Sequence[Awaitable[T]]) -> list[T]:
    """Awaits all; the first failure cancels the others, waits until they are gone, and is raised.

    Raises:
        Exception: What one of them raises.
    """
    tasks = [asyncio.ensure_future(item) for item in work]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def _end_others() -> None:
    """Cancels what an interrupted caller left running, and waits until it is gone."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
