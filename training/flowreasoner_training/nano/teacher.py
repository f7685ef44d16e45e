"""The miniature's teacher: a search over a catalogue of workflows, which explains what it observed (§4.1).

It stands where a large reasoning model stands in the paper. It sees what any meta-agent sees, the conversation with
its execution feedback, and knows of the query only how many steps it asks for. It is a program, not a model; the
trajectories that come of it are real all the same: every workflow in them was run by the worker and graded.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from flowreasoner.errors import ModelRefused
from flowreasoner.models.base import Completion
from flowreasoner_training.nano.catalogue import CATALOGUE, Blueprint

if TYPE_CHECKING:
    from flowreasoner.models import ModelContext, ModelURI
    from flowreasoner.models.base import ChatRequest

__all__ = ["SearchTeacher", "reply_with", "size_of", "teacher_from_uri"]

_SCORE = re.compile(r"^Score: (\d\.\d+)", re.M)
_FIRST = {"single": 8, "vote": 2, "test": 3, "attempts": 2, "review": 1}
_HARDER = {"single": 1, "vote": 2, "test": 5, "attempts": 5, "review": 1}
_SIMPLER = {"single": 5, "vote": 1, "test": 3, "attempts": 1, "review": 1}


def teacher_from_uri(uri: ModelURI, context: ModelContext) -> SearchTeacher:
    """Makes the teacher of ``nano:teacher``.

    Raises:
        ModelRefused: If another name is given, or the query at hand is none of the miniature world.
    """
    uri.expect(())
    if uri.name != "teacher":
        raise ModelRefused(
            f"there is no {uri} to call: it stands for a model that `flowreasoner train` makes on its way; "
            "name another, e.g. --worker embedded:"
        )
    if context.query is None:
        return SearchTeacher(1, context.seed)
    if "plan" not in context.query.metadata:
        raise ModelRefused(
            "nano:teacher teaches on queries of the miniature world only: take benchmark miniature-train"
        )
    return SearchTeacher(context.query.metadata["plan"].count("\n") + 1, context.seed)


class SearchTeacher:
    """Searches the catalogue: simple workflows first, stronger ones after a failure, simpler ones after a success.

    Args:
        steps: Steps that the query asks for.
        seed: Seed of its choices.
    """

    simulated = False
    knows_its_query = True

    def __init__(self, steps: int, seed: int = 0) -> None:
        self.steps, self.seed = steps, seed
        self.name = "nano:teacher"

    async def complete(self, request: ChatRequest) -> Completion:
        """Returns the next workflow, with the reasons for it."""
        # Its own replies alone say what was tried: the task shows a workflow, too, as an example of the form.
        replies = [message.content for message in request.messages if message.role == "assistant"]
        told = [message.content for message in request.messages if message.role == "user"]
        tried = [blueprint for reply in replies for blueprint in CATALOGUE if f"\n{blueprint.graph}\n" in reply]
        scores = [float(found[1]) for text in told if (found := _SCORE.search(text))]
        roll = random.Random(f"{self.seed}/{request.key(self.name)}")  # noqa: S311 - reproducible on purpose
        chosen = self._choose(tried, scores, roll)
        text = reply_with(chosen, self._reasons(chosen, tried, scores))
        return Completion(text, input_tokens=0, output_tokens=0, usd=0.0, estimated=True)

    def _choose(self, tried: list[Blueprint], scores: list[float], roll: random.Random) -> Blueprint:
        untried = [blueprint for blueprint in CATALOGUE if blueprint not in tried]
        weights = _FIRST if not scores else _SIMPLER if scores[-1] >= 1 else _HARDER
        failed = bool(scores) and scores[-1] < 1
        planning = 2.0 if failed else 0.6
        return roll.choices(
            untried, [weights[blueprint.form] * (planning if blueprint.plan else 1.0) for blueprint in untried]
        )[0]

    def _reasons(self, chosen: Blueprint, tried: list[Blueprint], scores: list[float]) -> str:
        size = size_of(self.steps)
        if not scores or not tried:
            return f"{size} I start with this: {chosen.words}."
        seen = f"Round {len(scores)} scored {scores[-1]:.2f}."
        if scores[-1] >= 1:
            return f"{size} {seen} All is right, so another design may be simpler or steadier: {chosen.words}."
        if scores[-1] == max(scores) and len(scores) > 1:
            return f"{size} {seen} That is the best so far, but not enough: {chosen.words}."
        return f"{size} {seen} Some tests fail, so the worker needs more help: {chosen.words}."

    async def aclose(self) -> None:
        """Does nothing."""


def size_of(steps: int) -> str:
    """Returns the sentence that the teacher's thoughts begin with: how many steps a query asks for."""
    return f"The query asks for {steps} step{'s' * (steps > 1)}."


def reply_with(blueprint: Blueprint, reasons: str) -> str:
    """Returns a meta-agent's reply: reasons, modification, workflow and prompts."""
    return (
        f"<think>{reasons}</think>\n<modification>{blueprint.words}</modification>\n"
        f"<graph>\n{blueprint.graph}\n</graph>\n<prompt>\n{blueprint.prompts}\n</prompt>"
    )
