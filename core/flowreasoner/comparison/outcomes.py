"""What one attempt at a query came to, and the file that outcomes are written to one by one."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from flowreasoner.record_file import RecordFile

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Key", "Outcome", "OutcomeFile"]

Key = tuple[str, str, str, int]
"""What tells attempts apart: contender, checkpoint, query, seed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt of a contender at a query.

    Outcomes are equal if they say the same of the contender; how long it took, and where it was kept, they do not.

    Attributes:
        contender: Name of the contender, e.g. ``grpo``.
        checkpoint: Which of its checkpoints; each stands for one training seed. Empty where nothing is trained.
        query: Id of the query.
        depth: Depth of the query's composition; None where queries have none.
        seed: Seed of the attempt's draws.
        passed: 1 if the answer passes all hidden tests, else 0.
        hidden: Share of the hidden tests that it passes.
        once: 1 if one further run of the chosen workflow, with draws of its own, passes all hidden tests. Unlike
            `passed` it owes nothing to picking the best of several answers. None where it was not tried.
        feedback: Score of the best round on the feedback tests.
        reward: Mean of the rounds' rewards (§4.2).
        rewards: Reward of each round.
        rounds: Rounds made.
        calls: Operator calls of all runs together.
        run_calls: Operator calls of one run of the chosen workflow, a mean; None without an answer.
        run_asks: Times that one run of the chosen workflow asks the worker, a mean; an operator may ask several times,
            or not at all. None without an answer.
        complexity: Raw complexity of the chosen workflow; None without an answer.
        worker_tokens: Tokens that the worker read and wrote.
        meta_tokens: Tokens that the meta-agent read and wrote.
        operators: Operators at the call sites of the chosen workflow, in order.
        error: Why there is no answer, if there is none.
        model_calls: Calls of worker and meta-agent, also for what came to nothing.
        usd: What all of them cost in US dollars, as if none had been answered by a cache.
        leaky: Whether the tests that score also steered.
        unpriced_calls: Calls that the dollars leave out, as nobody knows their price.
        seconds: Wall-clock time; other attempts that went on at the same time slow it down.
        run: Id of the attempt in the store, if it was kept.
    """

    contender: str
    checkpoint: str
    query: str
    depth: int | None
    seed: int
    passed: float
    hidden: float
    once: float | None
    feedback: float
    reward: float
    rewards: tuple[float, ...]
    rounds: int
    calls: int
    run_calls: float | None
    run_asks: float | None
    complexity: float | None
    worker_tokens: int
    meta_tokens: int
    operators: tuple[str, ...] = ()
    error: str = ""
    model_calls: int = 0
    usd: float = 0.0
    leaky: bool = False
    unpriced_calls: int = field(default=0, compare=False)  # what a cache answers has no unknown price
    seconds: float = field(default=0.0, compare=False)
    run: str = field(default="", compare=False)

    @property
    def key(self) -> Key:
        """What tells it from other attempts."""
        return self.contender, self.checkpoint, self.query, self.seed

    @property
    def first_reward(self) -> float | None:
        """Reward of the first round, which the meta-agent designed without any feedback; None without rounds."""
        return self.rewards[0] if self.rewards else None

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Outcome:
        """Reads the object that the file keeps."""
        names = {item.name for item in fields(cls)}
        known = {name: item for name, item in value.items() if name in names}
        return cls(**{**known, "rewards": tuple(known["rewards"]), "operators": tuple(known["operators"])})


class OutcomeFile:
    """A file of outcomes, each written as soon as it is known; what is finished is then not repeated.

    Args:
        path: The file; made if it is not there.
        settings: All that outcomes depend on and that their keys do not say.

    Raises:
        QueryError: If the file holds outcomes that were made with other settings, or no outcomes at all.
        StoreError: If it cannot be read or written.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        self._file = RecordFile(path, settings, "file of outcomes")
        try:
            outcomes = [Outcome.from_json(record) for record in self._file.found]
        except (KeyError, TypeError, AttributeError):
            raise self._file.other() from None
        self._found = {outcome.key: outcome for outcome in outcomes}

    def finished(self) -> dict[Key, Outcome]:
        """Returns what the file holds."""
        return dict(self._found)

    def keep(self, outcome: Outcome) -> None:
        """Writes an outcome down.

        Raises:
            StoreError: If that fails, as on a full disk; what was written before is safe.
        """
        self._file.append(asdict(outcome))
        self._found[outcome.key] = outcome
