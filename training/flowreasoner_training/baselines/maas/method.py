"""MaAS as a method to fit: its published configuration, and what departs from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from flowreasoner.baselines.fitting import Fitted
from flowreasoner.baselines.words import GENERAL, Words
from flowreasoner.errors import QueryError
from flowreasoner_training.baselines.maas.designer import MaASDesigner
from flowreasoner_training.baselines.maas.embedding import Embedder, hashed_ngrams
from flowreasoner_training.baselines.maas.training import Training

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from flowreasoner.designers import Workbench
    from flowreasoner.query import Query

__all__ = ["MaAS"]


@dataclass(frozen=True)
class MaAS:
    """MaAS (Zhang et al. 2025, §3; github bingreeky/MaAS), in the configuration that was published for code.

    As published: four layers of seven operators; a controller scores operators by the cosine of their and the query's
    encoded embeddings, from the second layer on along with the operator chosen first in the layer before; a layer's
    operators are drawn without putting back until their probabilities reach 0.3; the first layer writes a program;
    EarlyStop ends the work; the last program is tested in the end, and written anew where it fails. Trained by policy
    gradient on score - 3 * cost with Adam, over all queries four times, in batches of four.

    What departs. Embeddings are hashed n-grams instead of MiniLM's (`folder_encoder` takes MiniLM from a folder). Chain
    of thought is a call of its own, whose text the program is then written along, as the worker answers with code
    alone. SelfRefine is the product's review, and a revision where it finds something. The score is the share of
    feedback tests passed. Each run's own cost counts, where the published code mixes up those of a batch. A first
    layer that would stop at once is mended as published, without the published penalty, a constant that has no
    gradient. The textual gradient, which is off by default, is left out.

    Attributes:
        samples: Architectures sampled for each query, one in each pass over them.
        batch: Queries per step of the optimizer.
        learning_rate: Adam's.
        cost: What a run's cost is: its US dollars, as published; or its operator calls as a share of those it may
            make, for models that are free. The worker's price must be known for the former, and a limit on calls be
            given for the latter.
        cost_weight: What it counts against the score.
        layers: Of the supernet.
        hidden: Width of encodings.
        threshold: Sum of probabilities at which a layer has operators enough.
        words: What the worker is told; `flowreasoner.baselines.words.MINIATURE` for the embedded worker.
        embed: Gives the vector of a text.
        evaluations: Runs of the sampled workflow, by the designer that comes of it.
        name: What it is called.
    """

    samples: int = 4
    batch: int = 4
    learning_rate: float = 0.01
    cost: Literal["usd", "calls"] = "usd"
    cost_weight: float = 3.0
    layers: int = 4
    hidden: int = 32
    threshold: float = 0.3
    words: Words = GENERAL
    embed: Embedder = hashed_ngrams
    evaluations: int = 1
    name: str = "maas"

    def __post_init__(self) -> None:
        for item in ("samples", "batch", "layers", "hidden", "evaluations"):
            if getattr(self, item) < 1:
                raise QueryError(f"{item} must be at least 1, got {getattr(self, item)!r}")
        if self.cost not in {"usd", "calls"}:
            raise QueryError(f"cost must be usd or calls, got {self.cost!r:.60}")
        if not 0 < self.threshold <= 1:
            raise QueryError(f"threshold must be above 0 and at most 1, got {self.threshold!r}")

    async def fit(
        self, queries: Sequence[Query], bench: Workbench, folder: Path, tell: Callable[[str], None] = lambda _: None
    ) -> Fitted:
        """Trains the controller; see `flowreasoner.baselines.Fittable.fit`.

        The folder keeps ``settings.json`` and, after each batch, ``controller.safetensors`` with the optimizer's
        state. A batch that was interrupted is made again.
        """
        self._check(queries, bench)
        training = Training(self, queries, bench, folder)
        stopped = await training.run(tell)
        designer = MaASDesigner(training.controller, self.embed, self.words, self.evaluations, self.name)
        progress = training.progress
        facts: dict[str, Any] = {"stopped": stopped, "batches_to_make": training.steps, "batches": progress.batches}
        return Fitted(designer, progress.spent, progress.seconds, facts)

    def settings(self) -> dict[str, Any]:
        """Returns what the fitting depends on, as JSON; the embedder shows in the embeddings."""
        left_out = {"embed", "evaluations", "name", "words"}
        told = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in left_out}
        return {**told, "words": asdict(self.words)}

    def _check(self, queries: Sequence[Query], bench: Workbench) -> None:
        if not queries:
            raise QueryError("there are no queries to fit MaAS on")
        for query in queries:
            if query.feedback is None and query.metric is None:
                raise QueryError(f"query {query.id!r} has neither tests nor a metric to fit MaAS on")
        if self.cost == "calls" and bench.budget.calls is None:
            raise QueryError("with cost 'calls' a run's budget must limit its calls, e.g. Budget(calls=64)")
