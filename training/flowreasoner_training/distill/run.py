"""Runs a teacher over training queries: concurrent, within one budget, and resumable at any point (§4.1, Eq. 1)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from flowreasoner.store import Store
from flowreasoner_plugins import load_plugins
from flowreasoner_plugins.cli.inputs import make_sandbox
from flowreasoner_plugins.model_source import ModelSource
from flowreasoner_training.distill.journal import folder_store
from flowreasoner_training.distill.session import Session
from flowreasoner_training.files import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from flowreasoner.events import Observer
    from flowreasoner.models import ChatModel
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox
    from flowreasoner_plugins import Plugins
    from flowreasoner_training.distill.result import Distillation, DistillProgress
    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["distill"]


async def distill(
    recipe: Recipe,
    queries: Sequence[Query],
    out: Path,
    *,
    teacher: ChatModel | str | None = None,
    worker: ChatModel | str | None = None,
    plugins: Plugins | None = None,
    sandbox: Sandbox | None = None,
    parquet: bool = False,
    report: Callable[[DistillProgress], None] = lambda _: None,
    observers: Sequence[Observer] = (),
) -> Distillation:
    """Has a teacher design workflows for queries, and writes the good runs as training data (§4.1, Eq. 1).

    In `out` are then ``trajectories.jsonl``, ``card.md``, ``card.json``, and the folder ``llamafactory``. A folder
    that holds an unfinished run is gone on with: no finished model call is made, or paid for, again.

    Args:
        recipe: The sections distill, worker, rewards, queries and model are used.
        queries: What to design for, e.g. from `training_queries`.
        out: Folder for everything.
        teacher: The meta-agent: a model or a URI; the recipe's unless given.
        worker: Runs operators: a model or a URI; the recipe's unless given.
        plugins: Where models, operators and reward terms come from.
        sandbox: Runs code; the recipe's tier unless given.
        parquet: Write ``trajectories.parquet``, too (needs the ``train`` extra).
        report: Called after each design run.
        observers: Called with the events of all design runs.

    Returns:
        Counts, cost and the data card.

    Raises:
        TrainingError: If `out` cannot be written, or was begun with other settings.
        ModelError: If a model cannot be used, or fails several design runs in a row.
        SandboxError: If the sandbox fails.
        StoreError: If the store in `out` cannot be used, e.g. as another process works on it.
        QueryError: If a query cannot be used.
    """
    plugins = plugins or load_plugins()
    make_folder(out)
    priced = recipe.distill.budget_usd is not None
    async with contextlib.AsyncExitStack() as opened:
        designing = ModelSource(teacher or recipe.distill.teacher, "meta_agent", plugins, need_price=priced)
        opened.push_async_callback(designing.aclose)
        working = ModelSource(worker or recipe.worker.model, "worker", plugins, need_price=priced)
        opened.push_async_callback(working.aclose)
        if sandbox is None:
            sandbox = make_sandbox(plugins, recipe.worker.sandbox or "best")
            opened.push_async_callback(sandbox.aclose)
        store = opened.enter_context(Store(folder_store(out)))
        opened.enter_context(store.claim("distillation"))
        return await Session(recipe, queries, out, plugins, designing, working, sandbox, store, report, observers).run(
            parquet=parquet
        )
