"""One session of a distillation: the design runs that are missing, and the results of all."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Budget
from flowreasoner.designers import FlowReasoner, Workbench
from flowreasoner.errors import BudgetExceeded, FlowReasonerError, ModelError, ModelRefused, NoAnswer, RequestRefused
from flowreasoner.models import CachedModel
from flowreasoner.reward import Reward
from flowreasoner_training.distill.card import make_card, write_card
from flowreasoner_training.distill.export import export_llamafactory, write_parquet
from flowreasoner_training.distill.filters import Filters, length_of
from flowreasoner_training.distill.journal import Job, Ledger, Outcome, WholeRounds
from flowreasoner_training.distill.result import Distillation, DistillProgress
from flowreasoner_training.distill.till import PaidModel, Share, Till
from flowreasoner_training.files import guarded
from flowreasoner_training.trajectory import Trajectory, line, repeatable, write_trajectories

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from flowreasoner.events import Observer
    from flowreasoner.models import ChatModel
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox
    from flowreasoner.store import Store
    from flowreasoner_plugins import Plugins
    from flowreasoner_plugins.model_source import ModelSource
    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["Session"]

_MOST_FAILURES = 3
"""Design runs in a row that a model may fail before the whole ends: one may be bad luck, three are an outage."""


class Session:
    """Makes design runs for queries in a folder; see `flowreasoner_training.distill.distill`."""

    def __init__(
        self,
        recipe: Recipe,
        queries: Sequence[Query],
        out: Path,
        plugins: Plugins,
        teacher: ModelSource,
        worker: ModelSource,
        sandbox: Sandbox,
        store: Store,
        report: Callable[[DistillProgress], None],
        observers: Sequence[Observer],
    ) -> None:
        self.recipe, self.out, self.plugins = recipe, out, plugins
        self.teacher, self.worker, self.sandbox, self.store = teacher, worker, sandbox, store
        self.report, self.observers = report, tuple(observers)
        settings = recipe.distill
        self.jobs = [
            Job(query, number, _seed(recipe.seed, number))
            for number in range(settings.trajectories)
            for query in queries
        ]
        self.ledger = Ledger(store, _decisive(recipe, teacher.name, worker.name))
        self.filters = Filters(settings, length_of(recipe.model))
        self.reward = Reward(recipe.rewards.weights, plugins.reward_terms)
        self.designer = FlowReasoner(settings.rounds, recipe.worker.evaluations, early_stop=settings.early_stop)
        self.budget = Budget(calls=recipe.worker.calls)
        self.till = Till(settings.budget_usd, store.paid())
        self.data = out / "trajectories.jsonl"
        self.stopped = "done"
        self._failed_in_a_row = 0

    async def run(self, *, parquet: bool) -> Distillation:
        """Makes the design runs that are missing, and writes the results of all."""
        self._start = time.monotonic()
        self.ledger.check(self.jobs)
        chosen = self.filters.select(self._made())
        write_trajectories(self.data, chosen.kept)
        self._chosen = chosen
        missing = [job for job in self.jobs if job.id not in self.ledger.outcomes]
        self._left, self._begun = len(missing), len(missing)
        await self._design_all(iter(missing))
        return self._finish(parquet=parquet)

    def _made(self) -> Iterator[Trajectory]:
        """All trajectories in the order of the jobs, whatever order they were finished in."""
        for job in self.jobs:
            outcome = self.ledger.outcomes.get(job.id)
            if outcome is not None and outcome.trajectory is not None:
                yield outcome.trajectory

    async def _design_all(self, jobs: Iterator[Job]) -> None:
        runs = max(1, self.recipe.worker.concurrency // self.recipe.worker.evaluations)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.recipe.distill.concurrency, runs)):
                    group.create_task(self._work(jobs))
        except BaseExceptionGroup as errors:
            raise next((error for error in errors.exceptions if isinstance(error, FlowReasonerError)), errors) from None

    async def _work(self, jobs: Iterator[Job]) -> None:
        """Takes one job after another, until there are none, or the money is spent."""
        for job in jobs:
            if self.stopped == "budget":
                return
            try:
                self._take(job, await self._design(job))
                self._failed_in_a_row = 0
            except BudgetExceeded:
                self.stopped = "budget"
            except ModelError as error:
                self._failed_in_a_row += 1
                if isinstance(error, ModelRefused) or self._failed_in_a_row >= _MOST_FAILURES:
                    raise
                self.stopped, self._last_error = "unfinished", error

    async def _design(self, job: Job) -> Outcome:
        """Makes one design run, or goes on with it.

        Raises:
            BudgetExceeded: If the money for all was spent before the design run was over.
            ModelError: If a model failed.
        """
        run = self.ledger.begin(job)
        meter = Share(self.till)
        bench = Workbench(
            self._cached(self.teacher.of(job.query, job.seed)),
            self._cached(self.worker.of(job.query, job.seed)),
            self.sandbox,
            self.plugins.operators,
            self.budget,
            meter,
            job.seed,
            WholeRounds(self.store, run),
            self.observers,
        )
        trajectory, reason = None, ""
        try:
            design = await self.designer.design(job.query, bench)
        except (NoAnswer, RequestRefused) as error:
            reason = "no answer" if isinstance(error, NoAnswer) else "request refused"
        else:
            if design.stopped == "budget":
                raise BudgetExceeded("usd", self.till.budget.usd or 0.0, self.till.spent.usd)
            trajectory = Trajectory.from_design(
                design,
                self.reward,
                benchmark=self.recipe.queries.benchmark,
                operators=self.plugins.operators.values(),
                budget=self.budget,
                number=job.number,
                seed=job.seed,
            )
        outcome = Outcome(trajectory, reason, repeatable(meter.spent))
        self.ledger.finish(job, run, outcome)
        return outcome

    def _cached(self, model: ChatModel) -> ChatModel:
        return CachedModel(PaidModel(model, self.till), self.store)

    def _take(self, job: Job, outcome: Outcome) -> None:
        """Adds a finished trajectory to the file, and reports."""
        made = outcome.trajectory
        shown = outcome.reason
        if made is not None:
            shown = self.filters.take(made, self._chosen)
            if not shown:
                with guarded(self.data), self.data.open("a", encoding="utf-8") as file:
                    file.write(line(made))
            shown = shown or f"score {made.score:.2f} after {len(made.rounds)} round{'s' * (len(made.rounds) != 1)}"
        self._left -= 1
        made_here = self._begun - self._left
        left = (time.monotonic() - self._start) / made_here * self._left
        done = len(self.jobs) - self._left
        self.report(
            DistillProgress(job.id, shown, done, len(self.jobs), len(self._chosen.kept), self.till.spent.usd, left)
        )

    def _finish(self, *, parquet: bool) -> Distillation:
        """Writes data, card and export, in an order and with a content that no interruption changes."""
        made = [self.ledger.outcomes[job.id] for job in self.jobs if job.id in self.ledger.outcomes]
        if not made and self.stopped == "unfinished":
            raise self._last_error
        chosen = self.filters.select(self._made())
        rejected = chosen.rejected + Counter(item.reason for item in made if item.reason)
        write_trajectories(self.data, chosen.kept)
        if parquet:
            write_parquet(chosen.kept, self.data.with_suffix(".parquet"))
        export_llamafactory(chosen.kept, self.out / "llamafactory", self.recipe)
        cost = self.ledger.spent if self.stopped == "done" else repeatable(self.till.spent)
        card = make_card(
            self.recipe,
            [item.trajectory for item in made if item.trajectory is not None],
            chosen,
            dict(rejected),
            models={"teacher": self.teacher.name, "worker": self.worker.name},
            total=len(self.jobs),
            finished=len(made),
            stopped=self.stopped,
            cost=cost,
            unit=self.filters.length.unit,
            data=self.data,
        )
        write_card(card, self.out)
        return Distillation(
            self.data, len(made), len(self.jobs), len(chosen.kept), dict(rejected), self.stopped, cost, card
        )


def _seed(seed: int, number: int) -> int:
    """Returns the seed of a repetition, which no other seed's repetitions share for seeds below a million."""
    return seed + 1_000_000 * number


def _decisive(recipe: Recipe, teacher: str, worker: str) -> dict[str, Any]:
    """Returns the settings that decide the design runs; others may differ when a run is gone on with."""
    settings = recipe.distill
    return {
        "teacher": teacher,
        "worker": worker,
        "rounds": settings.rounds,
        "early_stop": settings.early_stop,
        "evaluations": recipe.worker.evaluations,
        "calls": recipe.worker.calls,
        "rewards": dict(recipe.rewards.weights),
        "benchmark": recipe.queries.benchmark,
        "tests": recipe.queries.tests,
        "seed": recipe.seed,
    }
