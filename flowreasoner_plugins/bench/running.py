"""Runs a bench cell by cell, each outcome kept as soon as it is known, and writes what came of it."""

from __future__ import annotations

import contextlib
import json
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Budget, Meter, Spending
from flowreasoner.comparison import Arena, Outcome, OutcomeFile, run
from flowreasoner.errors import StoreError
from flowreasoner.models import CachedModel
from flowreasoner.models.shared import SharedModel
from flowreasoner_plugins.bench.contenders import Unfitted, contenders_of
from flowreasoner_plugins.bench.fitting import fit
from flowreasoner_plugins.bench.summary import summarise
from flowreasoner_plugins.cli.inputs import make_sandbox
from flowreasoner_plugins.model_source import ModelSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from flowreasoner.comparison import Contender, ModelFor, Progress
    from flowreasoner.models import ChatModel
    from flowreasoner.models.uri import ModelRole
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox
    from flowreasoner.store import Store
    from flowreasoner_plugins.bench.plan import Cell, Settings
    from flowreasoner_plugins.manager import Plugins

__all__ = ["Bench"]

_RESULTS = [item.name for item in fields(Outcome) if item.compare]  # the others differ when the same is done again

_SMALL = (
    "Small models: they are asked in the words that they know from training. Comparing, debating and fusing solutions "
    "are not among them: LLM-Debate and LLM-Blender cannot show here what they are worth."
)


class Bench:
    """Runs cells, one after the other.

    Args:
        plugins: Where everything that has a name comes from.
        settings: What is the same for all cells.
        designers: Names of designers and methods, and files that hold a workflow.
        folder: Where everything is kept.
        store: Keeps completions, so that none is paid for twice, and the rounds of every attempt.
        tier: Where code runs.
        concurrency: Attempts at the same time.
        budget_usd: Dollars that all fittings and attempts together may cost, those of earlier sessions included.
        progress: Makes what is told of each outcome of a cell.
        tell: Called with lines on how fitting goes on.
    """

    def __init__(
        self,
        plugins: Plugins,
        settings: Settings,
        designers: Sequence[str],
        folder: Path,
        store: Store,
        *,
        tier: str = "best",
        concurrency: int = 16,
        budget_usd: float | None = None,
        progress: Callable[[str], AbstractContextManager[Progress]],
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._plugins, self._settings, self._designers = plugins, settings, designers
        self._folder, self._store, self._tier, self._concurrency = folder, store, tier, concurrency
        self._priced, self._progress, self._tell = budget_usd is not None, progress, tell
        self._meter = Meter(Budget.unlimited(usd=budget_usd))

    async def run(self, cells: Sequence[Cell]) -> dict[str, Any]:
        """Runs all cells, and returns the summary: ``{"cells": [...]}``.

        Raises:
            FlowReasonerError: Whatever is wrong; what is finished is kept, and the same again goes on from there.
        """
        summaries, lines = [], []
        notes = [_SMALL] * self._settings.small
        for cell in cells:
            outcomes, fitting, simulated = await self._run_cell(cell)
            summaries.append(summarise(cell, outcomes, fitting=fitting, simulated=simulated, notes=notes))
            lines += [_line(cell, outcome) for outcome in outcomes]
        try:
            (self._folder / "results.jsonl").write_text("".join(lines), encoding="utf-8")
        except OSError as error:
            raise StoreError(f"cannot write the results to {str(self._folder)!r}: {error.strerror}") from error
        return {"cells": summaries}

    async def _run_cell(self, cell: Cell) -> tuple[list[Outcome], dict[str, Any], list[str]]:
        async with contextlib.AsyncExitStack() as stack:
            sandbox = make_sandbox(self._plugins, self._tier, **cell.sandbox)
            stack.push_async_callback(sandbox.aclose)
            worker = self._source(cell.worker, "worker", stack)
            asked: list[_CachedSource] = []

            def meta_agent() -> ModelFor:
                """Opens the meta-agent when the first designer asks for it."""
                asked[:] = asked or [self._source(self._settings.meta_agent, "meta_agent", stack)]
                return asked[0].of

            given = contenders_of(self._designers, self._plugins, self._settings, meta_agent)
            file = self._file(cell, sandbox)
            earlier = file.finished().values()
            self._meter.charge(Spending(usd=sum(outcome.usd for outcome in earlier)))
            arena = Arena(
                worker.of,
                sandbox,
                Budget(calls=self._settings.max_calls),
                operators=self._plugins.operators,
                meter=self._meter,
                store=self._store,
            )
            contenders, fitting = await self._fitted(given, cell, arena)
            shown = stack.enter_context(self._progress(cell.benchmark))
            outcomes = await run(
                contenders,
                cell.queries,
                range(self._settings.seeds),
                arena,
                file,
                concurrency=self._concurrency,
                progress=shown,
            )
            models = {"worker": [worker], "meta_agent": asked}
            simulated = [role for role, made in models.items() if any(item.simulated for item in made)]
        return outcomes, fitting, simulated

    async def _fitted(
        self, given: Sequence[Contender | Unfitted], cell: Cell, arena: Arena
    ) -> tuple[list[Contender], dict[str, Any]]:
        """Fits the methods among those given; returns all contenders, and what each fitting came to, by method."""
        contenders: list[Contender] = []
        fitting: dict[str, Any] = {}
        for item in given:
            if not isinstance(item, Unfitted):
                contenders.append(item)
                continue
            self._tell(f"{item.name}: fitting on {len(cell.training)} queries of {cell.fit_on}")
            for seed in range(self._settings.fit_seeds):
                folder = self._folder / "fits" / cell.slug / f"{item.name}-{seed}"
                contender, told = await fit(item, cell, seed, arena, folder, partial(self._tell_of, item.name, seed))
                contenders.append(contender)
                fitting.setdefault(item.name, []).append(told)
        return contenders, fitting

    def _tell_of(self, name: str, seed: int, line: str) -> None:
        self._tell(f"{name}, seed {seed}: {line}")

    def _source(self, uri: str, role: ModelRole, stack: contextlib.AsyncExitStack) -> _CachedSource:
        source = ModelSource(uri, role, self._plugins, need_price=self._priced)
        stack.push_async_callback(source.aclose)
        return _CachedSource(source, self._store)

    def _file(self, cell: Cell, sandbox: Sandbox) -> OutcomeFile:
        same = {
            "benchmark": cell.benchmark,
            "data": cell.fingerprint,
            "worker": cell.worker,
            "tests": self._settings.tests,
            "split_seed": self._settings.split_seed,
            "max_calls": self._settings.max_calls,
            "sandbox": sandbox.tier,
        }
        return OutcomeFile(self._folder / f"{cell.slug}.outcomes.jsonl", same)


class _CachedSource:
    """Gives the model for a query; its completions are kept, and shared by those that ask the same at one time."""

    def __init__(self, source: ModelSource, store: Store) -> None:
        self._source, self._store = source, store
        self._made: dict[int, tuple[ChatModel, ChatModel]] = {}

    @property
    def simulated(self) -> bool:
        """Whether there is no model behind it."""
        return self._source.simulated

    def of(self, query: Query, seed: int) -> ChatModel:
        """Returns the model; a simulated one as it is, since it answers at once and holds nothing worth keeping."""
        model = self._source.of(query, seed)
        if model.simulated:
            return model
        made = self._made.setdefault(id(model), (model, SharedModel(CachedModel(model, self._store))))
        return made[1]


def _line(cell: Cell, outcome: Outcome) -> str:
    value = {name: getattr(outcome, name) for name in _RESULTS}
    value["designer"] = value.pop("contender")
    return json.dumps({"benchmark": cell.benchmark, "worker": cell.worker} | value) + "\n"
