"""Which trajectories are learned from; every rejection has a reason, and is counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowreasoner.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flowreasoner_training.recipes.schema import DistillSettings, ModelSettings
    from flowreasoner_training.trajectory import Trajectory

__all__ = ["Filters", "Length", "Selection", "length_of"]

_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True)
class Length:
    """How long a trajectory is.

    Attributes:
        tokens: Counts the tokens of a trajectory.
        unit: What is counted, for the data card.
    """

    tokens: Callable[[Trajectory], int]
    unit: str


@dataclass
class Selection:
    """What passed the filters, in order, with lengths; and how many did not, by reason."""

    kept: list[Trajectory] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    seen: set[tuple[object, ...]] = field(default_factory=set, repr=False)


class Filters:
    """Chooses trajectories by final score, validity, length, and whether there is an equal one already.

    Hidden tests count for the final score; they decide, and are seen by nobody.

    Args:
        settings: Least score and longest trajectory.
        length: Measures trajectories.
    """

    def __init__(self, settings: DistillSettings, length: Length) -> None:
        self.settings, self.length = settings, length

    def select(self, trajectories: Iterable[Trajectory]) -> Selection:
        """Filters trajectories in order."""
        chosen = Selection()
        for item in trajectories:
            self.take(item, chosen)
        return chosen

    def take(self, trajectory: Trajectory, chosen: Selection) -> str:
        """Adds a trajectory to a selection, or to its rejections.

        Of those on one query with the same workflows in the same order, only the first is kept.

        Returns:
            Why it is rejected, or an empty text.
        """
        length = self.length.tokens(trajectory)
        reason = self._reason(trajectory, length) or ("duplicate" if _workflows(trajectory) in chosen.seen else "")
        if reason:
            chosen.rejected[reason] += 1
            return reason
        chosen.seen.add(_workflows(trajectory))
        chosen.kept.append(trajectory)
        chosen.lengths.append(length)
        return ""

    def _reason(self, trajectory: Trajectory, length: int) -> str:
        """Returns why a trajectory is rejected on its own account, or an empty text."""
        least = self.settings.min_score
        if trajectory.score < least:
            return "low score"
        if trajectory.hidden_score is not None and trajectory.hidden_score < least:
            return "fails hidden tests"
        if not trajectory.rounds[-1].valid:
            return "last workflow refused"
        return "too long" if length > self.settings.max_tokens else ""


def length_of(model: ModelSettings) -> Length:
    """Returns the measure of length: the meta-agent's own tokens, or characters where its tokenizer is not at hand.

    Raises:
        TrainingError: If the tokenizer is there, but trajectories cannot be rendered with it.
    """
    try:
        from transformers import AutoTokenizer

        from flowreasoner_training.rendering import render, use_training_template

        tokenizer = AutoTokenizer.from_pretrained(model.name, local_files_only=True)
    except (ImportError, OSError, ValueError):
        return Length(_characters, f"characters divided by {_CHARACTERS_PER_TOKEN}")
    use_training_template(tokenizer, model.chat_template)

    def tokens(trajectory: Trajectory) -> int:
        try:
            return len(render(tokenizer, trajectory.messages()).input_ids)
        except TrainingError as error:
            raise TrainingError(f"trajectory {trajectory.id!r}: {error}") from None

    return Length(tokens, f"tokens of {model.name}")


def _characters(trajectory: Trajectory) -> int:
    return sum(len(message["content"]) for message in trajectory.messages()) // _CHARACTERS_PER_TOKEN


def _workflows(trajectory: Trajectory) -> tuple[object, ...]:
    rounds = [(item.workflow, tuple(sorted(item.prompts.items()))) for item in trajectory.rounds]
    return (trajectory.benchmark, trajectory.query, *rounds)
