"""ScoreFlow: sample workflows, pair them by score, train the generator; several times over (arXiv 2502.04306)."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.baselines import Fitted
from flowreasoner.errors import BudgetExceeded, QueryError
from flowreasoner_training.baselines.scoreflow.designer import GeneratorDesigner
from flowreasoner_training.baselines.scoreflow.journal import SampleJournal
from flowreasoner_training.baselines.scoreflow.pairs import draw_pairs, pairs_of
from flowreasoner_training.baselines.scoreflow.sampling import Sampler, request_messages
from flowreasoner_training.baselines.scoreflow.settings import Dpo, Sampling
from flowreasoner_training.grpo.background import together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flowreasoner.designers import Workbench
    from flowreasoner.query import Query
    from flowreasoner_training.baselines.scoreflow.journal import Candidate
    from flowreasoner_training.baselines.scoreflow.pairs import Pair

__all__ = ["ScoreFlow"]


@dataclass(frozen=True)
class ScoreFlow:
    """Fine-tunes a generator of workflows with Score-DPO (Wang et al. 2025; github.com/Gen-Verse/ScoreFlow).

    As published: workflows and evaluations per query, the distribution of the pairs, the loss (``f(x) = x``), its
    reference (the generator that everything began with, in all iterations), sampling and training (`Sampling`, `Dpo`).

    What departs: the generator is asked in this product's conversation and language. A workflow that the checker
    refuses scores 0 and can be the worse one of a pair; the repository writes another in its place until a trial run
    succeeds. New adapters are trained in each iteration, after the last ones were merged; the repository goes on with
    the same. There is no filter for workflows that are close to a template, as there is no template. An iteration in
    which no scores differ trains nothing.

    Attributes:
        generator: Folder of the generator to begin with, e.g. a meta-agent after SFT.
        iterations: Times that workflows are sampled, and the generator is trained.
        workflows: Candidates per query and iteration.
        evaluations: Runs per candidate.
        pairs: Pairs drawn per iteration; 600 as published for HumanEval.
        power: Exponent of the distribution of the pairs, ``(s_w - s_l)**power``.
        sampling: How the generator writes.
        dpo: How it is trained.
        tries: Replies at most for a new query until one holds a valid workflow.
        concurrency: Training queries that are worked on at the same time; results do not depend on it.
        name: What it is called.
    """

    generator: Path
    iterations: int = 3
    workflows: int = 8
    evaluations: int = 3
    pairs: int = 2000
    power: float = 3.0
    sampling: Sampling = field(default_factory=Sampling)
    dpo: Dpo = field(default_factory=Dpo)
    tries: int = 501
    concurrency: int = 8
    name: str = "scoreflow"

    def __post_init__(self) -> None:
        for name in ("iterations", "workflows", "evaluations", "pairs", "tries", "concurrency"):
            if getattr(self, name) < 1:
                raise QueryError(f"{name} must be at least 1, got {getattr(self, name)!r}")

    async def fit(
        self, queries: Sequence[Query], bench: Workbench, folder: Path, tell: Callable[[str], None] = lambda _: None
    ) -> Fitted:
        """Fits the method; see `flowreasoner.baselines.Fittable.fit`. The bench's meta-agent is not asked.

        In the folder are ``journal.jsonl``, and an ``iteration-N`` with each trained generator.

        Raises:
            TrainingError: If a generator cannot be trained, too.
        """
        if not queries:
            raise QueryError("ScoreFlow needs training queries")
        journal = SampleJournal(folder / "journal.jsonl", self._settings(queries, bench))
        with contextlib.suppress(BudgetExceeded):  # whoever asks a model next will find out
            bench.meter.charge(journal.spent)
        journal.follow(bench.meter)
        fitting = _Fitting(self, queries, bench, folder, journal, tell)
        try:
            await fitting.run()
        finally:
            journal.keep_rest()
        model = self.sampling.open(*fitting.generator, self.workflows)
        designer = GeneratorDesigner(model, self.tries, name=self.name)
        return Fitted(designer, journal.spent, journal.seconds, fitting.facts)

    def _settings(self, queries: Sequence[Query], bench: Workbench) -> dict[str, Any]:
        """Returns all that candidates and trained generators depend on; more iterations may be made later."""
        return {
            "method": "scoreflow",
            "generator": str(self.generator.resolve()),
            "queries": [query.digest() for query in queries],
            "workflows": self.workflows,
            "evaluations": self.evaluations,
            "pairs": self.pairs,
            "power": self.power,
            "sampling": self.sampling.to_json(),
            "dpo": self.dpo.to_json(),
            "worker": bench.worker.name,
            "operators": sorted(bench.operators),
            "budget": bench.budget.to_json(),
            "seed": bench.seed,
        }


@dataclass
class _Fitting:
    """A fitting under way."""

    method: ScoreFlow
    queries: Sequence[Query]
    bench: Workbench
    folder: Path
    journal: SampleJournal
    tell: Callable[[str], None]
    made: list[dict[str, Any]] = field(default_factory=list)
    trained: int = 0
    stopped: str = "iterations"

    @property
    def generator(self) -> tuple[Path, Path]:
        """The generator so far, and where its form for the embedded runtime belongs."""
        checkpoint = self.folder / f"iteration-{self.trained}" if self.trained else self.method.generator
        return checkpoint, self.folder / f"embedded-{self.trained}"

    @property
    def facts(self) -> dict[str, Any]:
        """What a log should say."""
        return {"stopped": self.stopped, "generator": str(self.generator[0]), "iterations": self.made}

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
            self._train(iteration, sampled)

    async def _sample(self, iteration: int) -> list[tuple[Candidate, ...]]:
        """Returns the candidates of all queries; those that are not in the journal are made now."""
        found = self.journal.sampled(iteration)
        missing = [index for index in range(len(self.queries)) if index not in found]
        if missing:
            method = self.method
            model = method.sampling.open(*self.generator, method.workflows)
            sampler = Sampler(model, self.bench, method.workflows, method.evaluations, self.tell)
            gate = asyncio.Semaphore(method.concurrency)

            async def sample(index: int) -> None:
                async with gate:
                    made = await sampler.sample(self.queries[index], f"scoreflow/i{iteration}/q{index}")
                self.journal.keep(iteration, index, made)
                mean = sum(candidate.score for candidate in made) / len(made)
                self.tell(f"iteration {iteration}: query {self.queries[index].id}, mean score {mean:.2f}")

            try:
                await together([sample(index) for index in missing])
            finally:
                await model.aclose()
            found = self.journal.sampled(iteration)
        return [found[index] for index in range(len(self.queries))]

    def _train(self, iteration: int, sampled: Sequence[Sequence[Candidate]]) -> None:
        """Trains the generator on pairs of the candidates, unless that was done before."""
        label = f"{self.bench.seed}/scoreflow/i{iteration}"
        every = [pair for index, made in enumerate(sampled) for pair in pairs_of(index, made)]
        pairs = draw_pairs(every, self.method.pairs, self.method.power, random.Random(f"{label}/pairs"))  # noqa: S311
        facts = self._describe(sampled) | {"pairs": len(every)}
        if pairs:
            from flowreasoner_training.baselines.scoreflow.train import losses_of

            out = self.folder / f"iteration-{iteration}"
            if not out.exists():
                self.tell(f"iteration {iteration}: training on {len(pairs)} of {len(every)} pairs")
                self._train_on(pairs, random.Random(f"{label}/dpo").getrandbits(31), out)  # noqa: S311
            losses = losses_of(out)
            facts |= {"steps": len(losses), "first_loss": losses[0], "last_loss": losses[-1]}
            self.trained = iteration
        self.made.append(facts)
        self.tell(f"iteration {iteration}: {facts}")

    def _train_on(self, pairs: Sequence[Pair], seed: int, out: Path) -> None:
        from flowreasoner_training.baselines.scoreflow.train import train_on_pairs
        from flowreasoner_training.hf_model import unload

        unload()  # the weights that sampled need not lie beside those that are trained
        prompts = [request_messages(query, self.bench) for query in self.queries]
        begin = self.method.generator
        train_on_pairs(self.generator[0], begin, prompts, pairs, self.method.dpo, seed, out)

    @staticmethod
    def _describe(sampled: Sequence[Sequence[Candidate]]) -> dict[str, float]:
        every = [candidate for made in sampled for candidate in made]
        return {
            "score": sum(candidate.score for candidate in every) / len(every),
            "valid": sum(candidate.valid for candidate in every) / len(every),
        }
