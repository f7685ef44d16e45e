"""A drop-in for AFlow's ``Optimizer``: the same arguments, the same files in the same places."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flowreasoner.budget import Budget, Spending
from flowreasoner.errors import QueryError
from flowreasoner.models import CachedModel, ModelContext
from flowreasoner.operators import BUILTIN
from flowreasoner.sandbox import best_sandbox, make_sandbox
from flowreasoner.text import did_you_mean
from flowreasoner_adapters.aflow.data import Data
from flowreasoner_adapters.aflow.evaluation import evaluate_on
from flowreasoner_adapters.aflow.llm import as_chat_model
from flowreasoner_adapters.aflow.per_query import design_each, test_each
from flowreasoner_adapters.aflow.per_task import TaskSearch
from flowreasoner_adapters.aflow.reading import Result, Workspace, read_workspace
from flowreasoner_adapters.aflow.workspace import write_evaluation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flowreasoner.models import ChatModel
    from flowreasoner.operators import Operator
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox
    from flowreasoner.store import Store
    from flowreasoner.workflow import Workflow
    from flowreasoner_adapters.aflow.evaluation import Outcome
    from flowreasoner_adapters.aflow.source import Layout

__all__ = ["Optimizer"]


class Optimizer:
    """Searches workflows for a data set, as AFlow does, or for each of its queries, as FlowReasoner does.

    The first eleven arguments are AFlow's, in AFlow's order. Files lie under ``<optimized_path>/<dataset>``. What is
    finished there is not done again: call it anew after a kill.

    Args:
        dataset: AFlow's name of the data set, e.g. ``HumanEval``; any name with `validation` and `test` given.
        question_type: ``code``, ``math`` or ``qa``; told to the meta-agent.
        opt_llm_config: The meta-agent: MetaGPT's ``LLMConfig``, or a model or model URI of FlowReasoner.
        exec_llm_config: The worker, likewise.
        operators: Class names of operators that workflows may use.
        sample: Among how many of the best rounds the next one's origin is drawn.
        check_convergence: Stop when the best rounds stop improving.
        optimized_path: Where the workspaces lie; ``workspace`` unless given.
        initial_round: Round to go on from.
        max_rounds: How many rounds to add to it.
        validation_rounds: Evaluations of each round.
        mode: ``task`` for one workflow per data set, ``query`` for one per query.
        data_path: Folder of AFlow's data files; where MetaGPT and AFlow keep them unless given.
        validation: Queries that steer, in place of the file; never those of `test`.
        test: Queries that score in the end, in place of the file; in mode ``query`` those that are designed for.
        test_runs: Evaluations of ``optimize("Test")``.
        sandbox: Runs code: a sandbox or a tier's name; the strongest that isolates unless given.
        budget: Limits of each run of a workflow.
        concurrency: Problems at the same time.
        seed: Seed of all draws.
        store: Answers repeated requests from its completions, so that also an unfinished round costs nothing twice.
        layout: Which imports graph files have; see `Layout`.

    Attributes:
        spent: What this object has spent so far.

    Raises:
        QueryError: If an argument cannot be used.
        ModelRefused: If a model is of the wrong kind.
    """

    def __init__(
        self,
        dataset: str,
        question_type: str,
        opt_llm_config: Any,
        exec_llm_config: Any,
        operators: Sequence[str],
        sample: int,
        check_convergence: bool = False,
        optimized_path: str | Path | None = None,
        initial_round: int = 1,
        max_rounds: int = 20,
        validation_rounds: int = 5,
        *,
        mode: Literal["task", "query"] = "task",
        data_path: str | Path | None = None,
        validation: Iterable[Query] | None = None,
        test: Iterable[Query] | None = None,
        test_runs: int = 3,
        sandbox: Sandbox | str | None = None,
        budget: Budget | None = None,
        concurrency: int = 8,
        seed: int = 0,
        store: Store | None = None,
        layout: Layout = "portable",
    ) -> None:
        least = {
            "sample": sample,
            "initial_round": initial_round,
            "max_rounds": max_rounds,
            "test_runs": test_runs,
            "validation_rounds": validation_rounds,
            "concurrency": concurrency,
        }
        for name, value in least.items():
            if not isinstance(value, int) or value < 1:
                raise QueryError(f"{name} must be a whole number of at least 1, got {value!r}")
        if mode not in ("task", "query"):
            raise QueryError(f"mode must be 'task' or 'query', not {mode!r}")
        self.dataset, self.type, self.sample, self.mode = dataset, question_type, sample, mode
        self.check_convergence, self.round, self.max_rounds = check_convergence, initial_round, max_rounds
        self.validation_rounds, self.test_runs, self.concurrency = validation_rounds, test_runs, concurrency
        self.root_path = Path(optimized_path or "workspace") / dataset
        self.operators = _chosen(operators)
        self.data = Data(dataset, data_path, validation, test)
        self.budget, self.seed, self.store, self.layout = budget or Budget(), seed, store, layout
        self.spent = Spending()
        self._given = {"meta_agent": opt_llm_config, "worker": exec_llm_config}
        self._made: dict[tuple[str, str], ChatModel] = {}
        self._sandbox_given = sandbox
        for role in self._given:
            if not isinstance(self._given[role], str):  # a URI's model may need the query
                self.model(role)

    # --- AFlow's interface ---

    def optimize(self, mode: Literal["Graph", "Test"] = "Graph") -> None:
        """Adds rounds (``Graph``), or scores the best one on the test data (``Test``).

        Raises:
            RuntimeError: If there is a running event loop; ``await optimizer.aoptimize(...)`` there.
            QueryError: If the data cannot be used, e.g. if validation and test data overlap.
            ModelError: If a model cannot be used; what is finished is on disk.
            SandboxError: If the sandbox fails; what is finished is on disk.
            StoreError: If a file cannot be written.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            asyncio.run(self.aoptimize(mode))
            return
        raise RuntimeError("an event loop is running here: use `await optimizer.aoptimize(...)`")

    async def aoptimize(self, mode: Literal["Graph", "Test"] = "Graph") -> None:
        """Does what `optimize` does, inside an event loop."""
        if mode not in ("Graph", "Test"):
            raise QueryError(f"optimize takes 'Graph' or 'Test', not {mode!r}")
        self.data.check_apart()
        given = self._sandbox_given
        sandbox = best_sandbox() if given is None else make_sandbox(given) if isinstance(given, str) else given
        try:
            if self.mode == "query":
                await (design_each if mode == "Graph" else test_each)(self, sandbox)
            else:
                search = TaskSearch(self, sandbox)
                await (search.add_rounds() if mode == "Graph" else search.test_best())
        finally:
            if sandbox is not given:
                await sandbox.aclose()
            for (role, _), model in self._made.items():
                if (model.model if isinstance(model, CachedModel) else model) is not self._given[role]:
                    await model.aclose()  # what was given stays open
            self._made = {}

    def workspace(self) -> Workspace:
        """Returns all rounds as they lie on disk.

        Raises:
            QueryError: If there are none yet.
        """
        return read_workspace(self.root_path, self.operators)

    # --- models ---

    def model(self, role: str, query: Query | None = None) -> ChatModel:
        """Returns the model of a role; simulations are made for a query, whose reference they vary."""
        given = self._given[role]
        key = (role, query.id if query is not None and isinstance(given, str) and given.startswith("sim:") else "")
        if key not in self._made:
            context = ModelContext("meta_agent" if role == "meta_agent" else "worker", query, self.seed)
            made = as_chat_model(given, "opt_llm_config" if role == "meta_agent" else "exec_llm_config", context)
            self._made[key] = CachedModel(made, self.store) if self.store is not None else made
        return self._made[key]

    # --- evaluations, for both modes ---

    async def evaluate(
        self, workflow: Workflow, queries: Sequence[Query], sandbox: Sandbox, draw: str
    ) -> list[Outcome]:
        """Runs a workflow once on each query, with this object's settings; see `evaluate_on`."""
        return await evaluate_on(
            workflow,
            queries,
            lambda query: self.model("worker", query),
            sandbox,
            operators=self.operators,
            budget=self.budget,
            concurrency=self.concurrency,
            draw=draw,
        )

    def write_outcomes(self, folder: Path, number: int, outcomes: Sequence[Outcome]) -> Result:
        """Writes the CSV of one evaluation, and returns its row for ``results.json``."""
        asked = "inputs" if any(item.query.entry_point for item in outcomes) else "question"
        columns = [asked, "prediction", "expected_output", "score", "cost"]
        rows = [
            (item.query.problem, item.prediction, item.query.reference, item.score, item.spent.usd) for item in outcomes
        ]
        score = sum(item.score for item in outcomes) / len(outcomes)
        cost = sum(item.spent.usd for item in outcomes)
        write_evaluation(folder, columns, rows, score)
        self.spent += sum((item.spent for item in outcomes), Spending())
        return Result(number, score, cost / len(outcomes), cost, f"{datetime.now()}")


def _chosen(names: Sequence[str]) -> Mapping[str, Operator]:
    if isinstance(names, str) or not names:
        raise QueryError(f"operators must be a list of names such as ['Custom', 'ScEnsemble'], not {names!r}")
    for name in names:
        if name not in BUILTIN:
            raise QueryError(f"there is no operator {name!r}{did_you_mean(str(name), BUILTIN)}")
    return {name: BUILTIN[name] for name in names}
