"""The simulated worker: answers operators from a pool of solutions, with set chances and faults."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowreasoner.errors import ModelError, ModelRefused
from flowreasoner.models.base import Completion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowreasoner.models.base import ChatRequest
    from flowreasoner.models.simulated.pool import SolutionPool, Solutions

__all__ = ["Faults", "Rolls", "SimulatedWorker"]

_CODE_PURPOSES = {"CustomCodeGenerate", "Revise", "TestReflection", "Programmer"}
_CHOICE_PURPOSES = {"ScEnsemble", "MdEnsemble"}
_CANDIDATE = re.compile(r"^([A-Z]{1,2}):\n", re.M)


@dataclass(frozen=True, slots=True)
class Faults:
    """How a simulated model misbehaves.

    Attributes:
        errors: Share of requests that fail.
        malformed: Share of replies that cannot be read.
        latency: Seconds per request.
    """

    errors: float = 0.0
    malformed: float = 0.0
    latency: float = 0.0

    def __post_init__(self) -> None:
        for name in ("errors", "malformed"):
            if not 0 <= getattr(self, name) <= 1:
                raise ModelRefused(f"sim: {name} must be between 0 and 1, got {getattr(self, name)}")
        if self.latency < 0:
            raise ModelRefused(f"sim: latency cannot be negative, got {self.latency}")

    async def strike(self, roll: random.Random) -> str | None:
        """Waits, then fails or returns a malformed reply as often as it should; None otherwise."""
        delay = self.latency * (0.5 + roll.random())  # drawn always, so that latency changes no answer
        if delay:
            await asyncio.sleep(delay)
        if roll.random() < self.errors:
            raise ModelError("simulated failure of the model")
        return "<<simulated malformed reply" if roll.random() < self.malformed else None


class Rolls:
    """Randomness by request: the same for the same request, but another after a failure."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._failures: Counter[str] = Counter()

    @contextlib.contextmanager
    def of(self, key: str) -> Iterator[random.Random]:
        """Returns the source for a request's key, and notes whether the request fails."""
        again = f"/{self._failures[key]}" if key in self._failures else ""
        try:
            yield random.Random(f"{self._seed}/{key}{again}")  # noqa: S311 - reproducible on purpose
        except ModelError:
            self._failures[key] += 1
            raise


class SimulatedWorker:
    """A worker without a model.

    Args:
        pool: Solutions by problem.
        skill: Chance that a solution written from the problem alone is right; None is the share of right ones in the
            pool, problem by problem.
        repair: Chance that a solution written after feedback is right; None likewise.
        seed: Makes every answer a function of the request.
        faults: How it misbehaves.
    """

    simulated = True

    def __init__(
        self,
        pool: SolutionPool,
        *,
        skill: float | None = 0.4,
        repair: float | None = 0.6,
        seed: int = 0,
        faults: Faults | None = None,
    ) -> None:
        self.pool, self.skill, self.repair, self.seed = pool, skill, repair, seed
        self.faults = faults or Faults()
        self._rolls = Rolls(seed)
        given = [f"{name}={value:g}" for name, value in (("skill", skill), ("repair", repair)) if value is not None]
        self.name = f"sim:worker?{'&'.join([*given, f'seed={seed}'])}"

    async def complete(self, request: ChatRequest) -> Completion:
        """Answers as the operator named by the request's purpose."""
        prompt = request.messages[-1].content if len(request.messages) == 1 else request.messages[0].content
        with self._rolls.of(request.key(self.name)) as roll:
            text = await self.faults.strike(roll) or self._answer(prompt, request.purpose, roll)
        read = sum(len(message.content) for message in request.messages) // 4
        return Completion(text, input_tokens=read, output_tokens=len(text) // 4, usd=0.0, estimated=True)

    def _answer(self, prompt: str, purpose: str, roll: random.Random) -> str:
        solutions = self.pool.find(prompt)
        if solutions is None:
            raise ModelRefused(
                "the simulated worker knows no solution for this query: sim: needs a 'reference' in the query file "
                "or ?answers=FILE; to answer it with a real model, pass --worker openai:MODEL"
            )
        if purpose in _CHOICE_PURPOSES:
            return self._choose(prompt, solutions, roll)
        if purpose == "Review":
            return self._review(prompt, solutions, roll)
        if purpose == "WriteTests":
            return "```python\nassert True\n```"
        chance = self.repair if purpose in {"Revise", "TestReflection"} or "feedback" in prompt.lower() else self.skill
        code = solutions.pick(solutions.share if chance is None else chance, roll.random(), roll.randrange(1 << 30))
        asks = purpose == "Custom" and (_asks_for_code(prompt) or self.pool.knows(prompt))
        if asks or purpose in _CODE_PURPOSES:
            return f"```python\n{code}\n```"
        if purpose == "AnswerGenerate":
            return f"<thought>Simulated.</thought><answer>{code}</answer>"
        return code if purpose == "Format" else _remark(roll)

    def _choose(self, prompt: str, solutions: Solutions, roll: random.Random) -> str:
        """Chooses the candidate that occurs most often, as an honest majority vote does."""
        parts = _CANDIDATE.split(prompt)[1:]
        candidates = {letter: body.strip() for letter, body in zip(parts[::2], parts[1::2], strict=False)}
        known = solutions.right + solutions.wrong
        bodies = {letter: next((text for text in known if text in body), body) for letter, body in candidates.items()}
        counts = {letter: list(bodies.values()).count(body) for letter, body in bodies.items()}
        best = [letter for letter, count in counts.items() if count == max(counts.values())] or ["A"]
        reply = {"thought": "Simulated vote.", "solution_letter": roll.choice(best)}
        return json.dumps(reply)

    def _review(self, prompt: str, solutions: Solutions, roll: random.Random) -> str:
        """Judges rightly four times in five."""
        is_right = any(text in prompt for text in solutions.right)
        verdict = is_right if roll.random() < 0.8 else not is_right
        feedback = "Nothing." if verdict else "Simulated review: an edge case is wrong."
        return f"<review_result>{str(verdict).lower()}</review_result>\n<feedback>{feedback}</feedback>"

    async def aclose(self) -> None:
        """Does nothing."""


def _asks_for_code(prompt: str) -> bool:
    instruction = prompt.lower()[:400]
    return any(word in instruction for word in ("write", "code", "implement", "fix", "improve", "rewrite", "correct"))


def _remark(roll: random.Random) -> str:
    return roll.choice(
        [
            "Simulated analysis: handle the empty input, then follow the definition step by step.",
            "Simulated plan: 1. parse the input; 2. apply the rule; 3. return the result.",
            "Simulated remark: look at the boundaries first.",
        ]
    )
