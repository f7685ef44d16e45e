"""ScoreFlow: sample workflows, pair them by score, train the generator; several times over (arXiv 2502.04306)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.baselines import Fitted
from flowreasoner.baselines.journal import FittingJournal
from flowreasoner.errors import QueryError
from flowreasoner.models.embedded.checkpoint import WEIGHTS
from flowreasoner_training.baselines.scoreflow.designer import GeneratorDesigner
from flowreasoner_training.baselines.scoreflow.fitting import Fitting
from flowreasoner_training.baselines.scoreflow.settings import Dpo, Sampling
from flowreasoner_training.files import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flowreasoner.designers import Workbench
    from flowreasoner.query import Query

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
    which no scores differ trains nothing. The repository leaves the number of iterations open; its README's example
    infers after two.

    Attributes:
        generator: Folder of the generator to begin with, e.g. a meta-agent after SFT; one of the embedded runtime's
            is turned back into a checkpoint that can be trained.
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

        In the folder are ``journal.jsonl``, and an ``iteration-N`` with each trained generator. The event loop waits
        while one is trained; a training that is interrupted begins anew.

        Raises:
            TrainingError: If a generator cannot be trained, too.
        """
        if not queries:
            raise QueryError("ScoreFlow needs training queries")
        for query in queries:
            if query.feedback is None and query.metric is None:
                raise QueryError(f"the training query {query.id!r} has neither feedback tests nor a metric")
        with FittingJournal(folder, self._settings(queries, bench), bench) as journal:
            fitting = Fitting(self._ready(folder), queries, bench, folder, journal, tell)
            await fitting.run()
        model = self.sampling.open(*fitting.generator, self.workflows)
        designer = GeneratorDesigner(model, self.tries, name=self.name)
        return Fitted(designer, journal.spent, journal.seconds, fitting.facts)

    def _ready(self, folder: Path) -> ScoreFlow:
        """Returns the method with a generator that can be trained."""
        if not (self.generator / WEIGHTS).is_file():
            return self
        from flowreasoner_training.nano.restore import restore_embedded

        restored = folder / "generator"
        if not restored.exists():
            partial = folder / "generator.part"
            with guarded(restored):
                restore_embedded(self.generator, partial)
                partial.replace(restored)
        return replace(self, generator=restored)

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
