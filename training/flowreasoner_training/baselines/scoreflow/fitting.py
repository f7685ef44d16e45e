"""A fitting of ScoreFlow as it goes on: iterations of sampling, pairing and training, each finished part only once."""

from __future__ import annotations

import asyncio
import random
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from flowreasoner.errors import BudgetExceeded
from flowreasoner_training.baselines.scoreflow.pairs import draw_pairs, pairs_of
from flowreasoner_training.baselines.scoreflow.sampling import Candidate, Sampler, request_messages
from flowreasoner_training.grpo.background import together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from flowreasoner.baselines.journal import FittingJournal
    from flowreasoner.designers import Workbench
    from flowreasoner.query import Query
    from flowreasoner_training.baselines.scoreflow.method import ScoreFlow
    from flowreasoner_training.baselines.scoreflow.pairs import Pair

__all__ = ["Fitting"]


@dataclass
class Fitting:
    """A fitting under way.

    Attributes:
        method: All settings.
        queries: Of training.
        bench: Worker, sandbox and budgets.
        folder: Of the iterations.
        journal: Of what is finished.
        tell: Called with lines of progress.
        made: What each iteration came to.
        trained: The last iteration that trained the generator; 0 for none.
        stopped: Why there are no more: ``iterations`` or ``budget``.
    """

    method: ScoreFlow
    queries: Sequence[Query]
    bench: Workbench
    folder: Path
    journal: FittingJournal
    tell: Callable[[str], None]
    made: list[dict[str, Any]] = field(default_factory=list)
    trained: int = 0
    stopped: Literal["iterations", "budget"] = "iterations"

    @property
    def generator(self) -> tuple[Path, Path]:
        """The generator so far, and where its form for the embedded runtime belongs."""
        checkpoint = self.folder / f"iteration-{self.trained}" if self.trained else self.method.generator
        return checkpoint, self.folder / f"embedded-{self.trained}"

    @property
    def facts(self) -> dict[str, Any]:
        """What a log should say."""
        return {"stopped": self.stopped, "generator": self.generator[0].name, "iterations": self.made}

    async def run(self) -> None:
        """Makes all iterations, or as many as the budget allows if that is at least one.

        Raises:
            BudgetExceeded: If it ends before a generator was trained.
        """
        for iteration in range(1, self.method.iterations + 1):
            try:
                sampled = await self._sample(iteration)
            except BudgetExceeded:
                if not self.trained:
                    raise
                self.stopped = "budget"
                return
            await self._train(iteration, sampled)

    async def _sample(self, iteration: int) -> list[tuple[Candidate, ...]]:
        """Returns the candidates of all queries; those that are not in the journal are made now, and kept there."""
        keys = [f"iteration {iteration}/query {index}" for index in range(len(self.queries))]
        found = [self.journal.get(key) for key in keys]
        if None not in found:
            return [_read(value) for value in found]
        method = self.method
        model = method.sampling.open(*self.generator, method.workflows)
        sampler = Sampler(replace(self.bench, meta_agent=model), method.workflows, method.evaluations, self.tell)
        gate = asyncio.Semaphore(method.concurrency)

        async def sample(index: int) -> tuple[Candidate, ...]:
            query = self.queries[index]

            async def work() -> list[dict[str, Any]]:
                made = await sampler.sample(query, f"scoreflow/i{iteration}/q{index}")
                mean = sum(candidate.score for candidate in made) / len(made)
                self.tell(f"iteration {iteration}: query {query.id}, mean score {mean:.2f}")
                return [asdict(candidate) for candidate in made]

            async with gate:
                return _read(await self.journal.once(keys[index], work))

        try:
            return await together([sample(index) for index in range(len(self.queries))])
        finally:
            await model.aclose()

    async def _train(self, iteration: int, sampled: Sequence[Sequence[Candidate]]) -> None:
        """Trains the generator on pairs of the candidates, unless that was done before."""
        label = f"{self.bench.seed}/scoreflow/i{iteration}"
        every = [pair for index, made in enumerate(sampled) for pair in pairs_of(index, made)]
        pairs = draw_pairs(every, self.method.pairs, self.method.power, random.Random(f"{label}/pairs"))  # noqa: S311
        facts = self._describe(sampled) | {"pairs": len(every)}
        if pairs:
            self.tell(f"iteration {iteration}: training on {len(pairs)} draws from {len(every)} pairs")
            seed, out = random.Random(f"{label}/dpo").getrandbits(31), self.folder / f"iteration-{iteration}"  # noqa: S311

            async def work() -> list[float]:
                return self._train_on(pairs, seed, out)

            losses = await self.journal.once(f"iteration {iteration}/training", work)
            facts |= {"steps": len(losses), "first_loss": losses[0], "last_loss": losses[-1]}
            self.trained = iteration
        self.made.append(facts)
        self.tell(f"iteration {iteration}: {facts}")

    def _train_on(self, pairs: Sequence[Pair], seed: int, out: Path) -> list[float]:
        """Returns the losses; a folder that is there was trained before its line in the journal could be written."""
        from flowreasoner_training.baselines.scoreflow.train import losses_of, train_on_pairs

        if not out.exists():
            prompts = [request_messages(query, self.bench) for query in self.queries]
            begin = self.method.generator
            train_on_pairs(self.generator[0], begin, prompts, pairs, self.method.dpo, seed, out)
        return losses_of(out)

    @staticmethod
    def _describe(sampled: Sequence[Sequence[Candidate]]) -> dict[str, float]:
        every = [candidate for made in sampled for candidate in made]
        return {
            "score": sum(candidate.score for candidate in every) / len(every),
            "valid": sum(candidate.valid for candidate in every) / len(every),
        }


def _read(value: Sequence[dict[str, Any]]) -> tuple[Candidate, ...]:
    return tuple(Candidate(**candidate) for candidate in value)
