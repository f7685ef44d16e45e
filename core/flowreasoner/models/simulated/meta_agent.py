"""The simulated meta-agent: proposes ever richer workflows from a catalogue, in larger steps while the score is low."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flowreasoner.models.base import Completion
from flowreasoner.models.simulated.catalogue import BROKEN, CATALOGUE
from flowreasoner.models.simulated.worker import Faults, Rolls

if TYPE_CHECKING:
    import random

    from flowreasoner.models.base import ChatRequest

__all__ = ["SimulatedMetaAgent"]

_SCORE = re.compile(r"[Ss]core[^\d\n]{0,20}(\d+(?:\.\d+)?)")


class SimulatedMetaAgent:
    """A meta-agent without a model.

    Args:
        seed: Decides how far to leap after a low score, and what to repeat when all has been tried.
        faults: How it misbehaves; a malformed reply is a broken workflow, to be repaired.
    """

    simulated = True

    def __init__(self, *, seed: int = 0, faults: Faults | None = None) -> None:
        self.faults, self._rolls = faults or Faults(), Rolls(seed)
        self.name = f"sim:meta-agent?seed={seed}"

    async def complete(self, request: ChatRequest) -> Completion:
        """Proposes a workflow for the rounds so far."""
        with self._rolls.of(request.key(self.name)) as roll:
            text = BROKEN.reply() if await self.faults.strike(roll) else self._propose(request, roll)
        read = sum(len(message.content) for message in request.messages) // 4
        return Completion(text, input_tokens=read, output_tokens=len(text) // 4, usd=0.0, estimated=True)

    def _propose(self, request: ChatRequest, roll: random.Random) -> str:
        said = "\n".join(message.content for message in request.messages)
        untried = [proposal for proposal in CATALOGUE if proposal.modification not in said]
        if not untried:
            return roll.choice(CATALOGUE[1:]).reply()
        scores = _SCORE.findall(request.messages[-1].content)
        leap = len(untried) > 1 and scores and float(scores[0]) < 0.5
        return untried[roll.randrange(2) if leap else 0].reply()

    async def aclose(self) -> None:
        """Does nothing."""
