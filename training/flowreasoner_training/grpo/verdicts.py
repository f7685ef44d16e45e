"""Grades a program once: the candidates of a group, run several times each, often come to the very same answer."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowreasoner.sandbox import RunOutput, Sandbox, Suite, Verdict

__all__ = ["GradedOnce"]

_MOST = 4_096


class GradedOnce:
    """A sandbox that remembers the verdicts of another one.

    A program whose outcome is a matter of luck keeps the one it had first; what is rewarded is a mean over runs of a
    workflow all the same. A verdict that could not be had is not remembered.

    Args:
        inner: Grades.
        most: Verdicts that are remembered; then the oldest are forgotten.
    """

    def __init__(self, inner: Sandbox, most: int = _MOST) -> None:
        self._inner, self._most = inner, most
        self._verdicts: OrderedDict[tuple[str, Suite], asyncio.Future[Verdict]] = OrderedDict()

    @property
    def tier(self) -> str:
        """Name of the inner sandbox's tier."""
        return self._inner.tier

    @property
    def isolated(self) -> bool:
        """Whether the inner sandbox isolates."""
        return self._inner.isolated

    async def grade(self, code: str, suite: Suite) -> Verdict:
        """Runs `suite` against `code`, unless that was done before or is being done.

        Raises:
            SandboxError: If the inner sandbox fails.
        """
        key = (code, suite)
        known = self._verdicts.get(key)
        if known is None or known.cancelled() or (known.done() and known.exception() is not None):
            known = self._verdicts[key] = asyncio.ensure_future(self._inner.grade(code, suite))
            known.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # nobody may be waiting
            while len(self._verdicts) > self._most:
                self._verdicts.popitem(last=False)
        return await asyncio.shield(known)  # who stops waiting must not take it from the others

    async def run(self, code: str, stdin: str = "") -> RunOutput:
        """Runs a program as a script, each time anew.

        Raises:
            SandboxError: If the inner sandbox fails.
        """
        return await self._inner.run(code, stdin)

    async def aclose(self) -> None:
        """Gives up what is under way, and closes the inner sandbox."""
        unfinished = [verdict for verdict in self._verdicts.values() if not verdict.done()]
        for verdict in unfinished:
            verdict.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        self._verdicts.clear()
        await self._inner.aclose()
