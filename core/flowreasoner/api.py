"""The Python API: `design`, its sync twin, and running one workflow on one query."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Budget, Meter
from flowreasoner.designers import FlowReasoner, NoJournal, Workbench
from flowreasoner.errors import ModelRefused, QueryError
from flowreasoner.events import GuardedObserver
from flowreasoner.models import CachedModel, ChatModel, ModelContext, model_from_uri
from flowreasoner.operators import BUILTIN
from flowreasoner.query import Query
from flowreasoner.sandbox import best_sandbox, make_sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from flowreasoner.designers import Design, Designer, Journal, Round
    from flowreasoner.events import Observer
    from flowreasoner.feedback import Feedback
    from flowreasoner.operators import Operator
    from flowreasoner.sandbox import Sandbox
    from flowreasoner.store import Store
    from flowreasoner.workflow import Workflow

__all__ = ["StoreJournal", "design", "design_sync", "evaluate"]


class StoreJournal:
    """Keeps a run's rounds in a store.

    Args:
        store: The open store.
        run: Id of the run.
    """

    def __init__(self, store: Store, run: str) -> None:
        self.store, self.run = store, run

    def finished(self) -> list[dict[str, Any]]:
        """Returns the rounds that were finished before."""
        return self.store.rounds(self.run)

    def keep(self, finished: Round) -> None:
        """Writes a finished round down."""
        self.store.keep_round(self.run, finished.number, finished.to_json())


async def design(
    query: Query | str,
    *,
    meta_agent: ChatModel | str,
    worker: ChatModel | str,
    rounds: int = 10,
    evaluations: int = 3,
    budget: Budget | None = None,
    budget_usd: float | None = None,
    early_stop: bool = True,
    seed: int = 0,
    designer: Designer | None = None,
    sandbox: Sandbox | str | None = None,
    operators: Mapping[str, Operator] = BUILTIN,
    store: Store | None = None,
    journal: Journal | None = None,
    observers: Iterable[Observer] = (),
) -> Design:
    """Designs a multi-agent workflow for one query and returns it with its answer (§4.3).

    Args:
        query: The query, or its problem as text.
        meta_agent: Designs workflows: a model, or a URI such as ``openai:o4-mini``.
        worker: Runs operators: a model or a URI.
        rounds: Designs at most (§5: 10).
        evaluations: Runs of each design (Appendix A: 3).
        budget: Limits of each run of a workflow.
        budget_usd: US dollars that the whole design may cost. No request is sent once they are spent; those
            under way then are abandoned, and a provider may still bill them.
        early_stop: Stop at the first design that is right in every run.
        seed: Seed of all draws; another one gives an independent repetition.
        designer: What designs; `FlowReasoner` with the settings above unless given.
        sandbox: Runs code: a sandbox, or the name of a tier; the strongest that isolates unless given.
        operators: Operators by class name.
        store: Answers repeated requests from its completions.
        journal: Keeps finished rounds, for resuming.
        observers: Called with each event.

    Returns:
        The design: ``design.best.workflow``, ``design.answer``, ``design.rounds``, ``design.cost``.

    Raises:
        QueryError: If the query or its tests cannot be used.
        NoAnswer: If no round gave an answer.
        ModelError: If a model cannot be used.
        BudgetExceeded: If the budget ended before any answer.
        SandboxError: If the sandbox fails.
        StoreError: If the store cannot be used.
    """
    query = Query(query) if isinstance(query, str) else query
    designer = designer or FlowReasoner(rounds, evaluations, early_stop=early_stop)
    async with _bench(
        query, meta_agent, worker, budget, budget_usd, seed, sandbox, operators, store, observers
    ) as bench:
        return await designer.design(query, replace(bench, journal=journal or NoJournal()))


def design_sync(query: Query | str, **settings: Any) -> Design:
    """Does what `design` does, for programs without an event loop.

    Raises:
        RuntimeError: If there is a running event loop, e.g. in a notebook; ``await design(...)`` there.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(design(query, **settings))
    raise RuntimeError("an event loop is running here: use `await flowreasoner.design(...)` instead of design_sync")


async def evaluate(
    workflow: Workflow,
    query: Query,
    *,
    worker: ChatModel | str,
    evaluations: int = 1,
    budget: Budget | None = None,
    budget_usd: float | None = None,
    seed: int = 0,
    sandbox: Sandbox | str | None = None,
    operators: Mapping[str, Operator] = BUILTIN,
    store: Store | None = None,
    observers: Iterable[Observer] = (),
) -> Feedback:
    """Runs an existing workflow on a query and grades its answers.

    Args:
        workflow: A checked workflow.
        query: The query, with feedback tests or a metric.
        worker: Runs operators: a model or a URI.
        evaluations: How many runs.
        budget: Limits of each run.
        budget_usd: US dollars that all runs together may cost.
        seed: Seed of all draws.
        sandbox: Runs code: a sandbox, or the name of a tier; the strongest that isolates unless given.
        operators: Operators by class name.
        store: Answers repeated requests from its completions.
        observers: Called with each event.

    Raises:
        QueryError: If the query has neither tests nor a metric.
        ModelError: If the worker cannot be used.
        SandboxError: If the sandbox fails.
        BudgetExceeded: If `budget_usd` is spent.
    """
    if not hasattr(workflow, "program"):
        raise QueryError(f"workflow must be a Workflow, e.g. Workflow.parse(source), not {type(workflow).__name__}")
    if evaluations < 1:
        raise QueryError(f"evaluations must be at least 1, got {evaluations}")
    if query.feedback is None and query.metric is None:
        raise QueryError(f"query {query.id!r} has neither tests nor a metric to grade answers with")
    async with _bench(query, worker, worker, budget, budget_usd, seed, sandbox, operators, store, observers) as bench:
        return await bench.evaluate(workflow, query, evaluations, 0)


def _check_kinds(budget: object, store: object, observers: object) -> None:
    """Names arguments of the wrong kind, which would fail much later and elsewhere."""
    if not isinstance(budget, Budget | None):
        raise QueryError(f"budget must be a Budget, e.g. Budget(calls=20), not {budget!r:.60}")
    if store is not None and not hasattr(store, "keep_completion"):
        raise QueryError(f"store must be an open Store, e.g. Store('runs.sqlite'), not {store!r:.60}")
    if not isinstance(observers, Iterable):
        raise QueryError(f"observers must be a list of functions, not {observers!r:.60}")


@contextlib.asynccontextmanager
async def _bench(
    query: Query,
    meta_agent: ChatModel | str,
    worker: ChatModel | str,
    budget: Budget | None,
    budget_usd: float | None,
    seed: int,
    sandbox: Sandbox | str | None,
    operators: Mapping[str, Operator],
    store: Store | None,
    observers: Iterable[Observer],
) -> AsyncIterator[Workbench]:
    """Opens what was given by name, and closes it again."""
    opened: list[Any] = []

    def model(given: ChatModel | str, role: Any) -> ChatModel:
        if isinstance(given, str):
            made = model_from_uri(given, ModelContext(role, query, seed))
            opened.append(made)
        elif isinstance(given, ChatModel):
            made = given
        else:
            raise ModelRefused(
                f"{role} must be a chat model or a URI such as 'openai:gpt-4o-mini', not {type(given).__name__}; "
                "FunctionModel makes one of a function"
            )
        return CachedModel(made, store) if store is not None else made

    _check_kinds(budget, store, observers)

    if sandbox is None or isinstance(sandbox, str):
        sandbox = best_sandbox() if sandbox is None else make_sandbox(sandbox)
        opened.append(sandbox)
    try:
        yield Workbench(
            model(meta_agent, "meta_agent"),
            model(worker, "worker"),
            sandbox,
            operators,
            budget or Budget(),
            Meter(Budget.unlimited(usd=budget_usd)),
            seed,
            observers=tuple(GuardedObserver(observer) for observer in observers),
        )
    finally:
        for item in opened:
            await item.aclose()
