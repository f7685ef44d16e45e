"""The training of MaAS's controller: sample, evaluate, and follow the policy gradient, batch by batch."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import time
from typing import TYPE_CHECKING, Any, Literal

import torch

from flowreasoner.errors import BudgetExceeded, FlowReasonerError, QueryError
from flowreasoner.workflow import check
from flowreasoner_training.baselines.maas.controller import Controller
from flowreasoner_training.baselines.maas.state import begin_in, load, save
from flowreasoner_training.baselines.maas.supernet import DESCRIPTIONS, OPERATORS, workflow_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from pathlib import Path

    from torch import Tensor

    from flowreasoner.designers import Workbench
    from flowreasoner.feedback import Feedback
    from flowreasoner.query import Query
    from flowreasoner_training.baselines.maas.method import MaAS
    from flowreasoner_training.baselines.maas.supernet import Architecture

__all__ = ["Training", "policy_loss"]


def policy_loss(log_probabilities: Tensor, utilities: Sequence[float]) -> Tensor:
    """Returns the published loss: the mean of log-probability times utility, negated (REINFORCE, without a baseline).

    Args:
        log_probabilities: Of the sampled architectures, ``(batch,)``.
        utilities: Theirs.
    """
    return -(log_probabilities * log_probabilities.new_tensor(utilities)).mean()


class Training:
    """A fitting that goes on where its folder's was interrupted.

    Args:
        method: The configuration.
        queries: Of training.
        bench: Worker, sandbox and budgets.
        folder: Keeps the state.

    Attributes:
        controller: What is trained.
        progress: How far it is.
        steps: Batches in all.
    """

    def __init__(self, method: MaAS, queries: Sequence[Query], bench: Workbench, folder: Path) -> None:
        self.method, self.queries, self.bench, self.folder = method, queries, bench, folder
        operators = torch.tensor([method.embed(f"{name}: {told}") for name, told in DESCRIPTIONS.items()])
        self._vectors = [torch.tensor(method.embed(query.problem)) for query in queries]
        begin_in(folder, self._settings(operators))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(random.Random(f"{bench.seed}/maas").getrandbits(48))  # noqa: S311 - reproducible
            self.controller = Controller(OPERATORS, operators, method.layers, method.hidden, method.threshold)
        self._optimizer = torch.optim.Adam(self.controller.parameters(), lr=method.learning_rate)
        self.progress = load(folder, self.controller, self._optimizer)
        self._batches = [range(len(queries))[at : at + method.batch] for at in range(0, len(queries), method.batch)]
        self.steps = method.samples * len(self._batches)
        self._spent_elsewhere = bench.meter.spent
        self._began = time.perf_counter() - self.progress.seconds

    async def run(self, tell: Callable[[str], None]) -> Literal["trained", "budget"]:
        """Trains to the end, or until the budget ends after at least one batch.

        Raises:
            ModelError: If the worker cannot be used; `Workbench.evaluate` names the other reasons.
            StoreError: If the state cannot be written.
        """
        with contextlib.suppress(BudgetExceeded):  # the next batch will find out
            self.bench.meter.charge(self.progress.spent)
        while len(self.progress.batches) < self.steps:
            try:
                means = await self._step(len(self.progress.batches))
            except (FlowReasonerError, asyncio.CancelledError) as error:
                self._save()  # what was spent, though nothing came of it; the optimizer has not begun its step by then
                if isinstance(error, BudgetExceeded) and self.progress.batches:
                    return "budget"
                raise
            self.progress.batches.append(means)
            self._save()
            said = ", ".join(f"{name} {value:.3f}" for name, value in means.items())
            tell(f"batch {len(self.progress.batches)} of {self.steps}: {said}")
        return "trained"

    async def _step(self, step: int) -> dict[str, float]:
        """Makes one step of the optimizer; returns means over its batch."""
        number, batch = step // len(self._batches) + 1, self._batches[step % len(self._batches)]
        architectures = [self._sample(number, index) for index in batch]
        feedbacks = await _all(
            [self._evaluate(index, item, number) for index, item in zip(batch, architectures, strict=True)]
        )
        scores, costs = [item.score for item in feedbacks], [self._cost(item) for item in feedbacks]
        utilities = [score - self.method.cost_weight * cost for score, cost in zip(scores, costs, strict=True)]
        self._follow(batch, architectures, utilities)
        means = {"score": scores, "cost": costs, "utility": utilities}
        return {name: sum(values) / len(values) for name, values in means.items()}

    def _follow(self, batch: Sequence[int], architectures: Sequence[Architecture], utilities: Sequence[float]) -> None:
        """Moves the controller along the policy gradient."""
        chosen = zip(batch, architectures, strict=True)
        log_probabilities = [self.controller.log_probability(self._vectors[index], item) for index, item in chosen]
        policy_loss(torch.stack(log_probabilities), utilities).backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._optimizer.zero_grad()

    def _sample(self, number: int, index: int) -> Architecture:
        roll = random.Random(f"{self.bench.seed}/maas/{number}/{index}")  # noqa: S311 - reproducible on purpose
        return self.controller.sample(self._vectors[index], roll)

    async def _evaluate(self, index: int, architecture: Architecture, number: int) -> Feedback:
        query = self.queries[index]
        report = check(*workflow_of(architecture, self.method.words, query.feedback is not None), self.bench.operators)
        if report.workflow is None:
            raise QueryError(f"MaAS needs operators that are not there: {report.diagnostics[0]}")
        draws = f"{self.bench.seed}/maas/{number}/{index}"
        return await self.bench.evaluate(report.workflow, query, 1, number, draws)

    def _cost(self, feedback: Feedback) -> float:
        spent = feedback.spent
        if self.method.cost == "calls":
            return spent.calls / (self.bench.budget.calls or 1)
        if spent.unpriced_calls:
            raise QueryError("the worker's price is not known, so MaAS cannot weigh it; fit with cost 'calls'")
        return spent.usd

    def _save(self) -> None:
        self.progress.spent = self.bench.meter.spent - self._spent_elsewhere
        self.progress.seconds = time.perf_counter() - self._began
        save(self.folder, self.controller, self._optimizer, self.progress)

    def _settings(self, operators: Tensor) -> dict[str, Any]:
        """Returns all that the fitting depends on."""
        asked = [
            [item.id, item.problem, item.entry_point, [case.source for case in item.feedback.cases]]
            if item.feedback
            else [item.id, item.problem, item.entry_point]
            for item in self.queries
        ]
        return {
            **self.method.settings(),
            "embeddings": _digest(operators.tolist()),
            "queries": _digest(asked),
            "worker": self.bench.worker.name,
            "budget": self.bench.budget.to_json(),
            "seed": self.bench.seed,
        }


async def _all(runs: Iterable[Awaitable[Feedback]]) -> list[Feedback]:
    """Waits for all, and raises the first error only then, so that nothing runs on after it."""
    made = await asyncio.gather(*runs, return_exceptions=True)
    for item in made:
        if isinstance(item, BaseException):
            raise item
    return [item for item in made if not isinstance(item, BaseException)]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
