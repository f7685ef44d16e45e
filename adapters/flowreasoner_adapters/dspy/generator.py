"""The program generator: a DSPy module that designs a program for each query and runs it (§4.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dspy

from flowreasoner.api import design
from flowreasoner.query import Query
from flowreasoner.sandbox.suite import Suite
from flowreasoner_adapters.dspy.model import as_chat_model
from flowreasoner_adapters.dspy.program import WorkflowProgram
from flowreasoner_adapters.hosting import Sandboxes, run_sync

if TYPE_CHECKING:
    from flowreasoner.designers import Design
    from flowreasoner.query import Metric
    from flowreasoner.sandbox import Sandbox

__all__ = ["FlowReasonerProgram"]


class FlowReasonerProgram(dspy.Module):  # type: ignore[misc]  # DSPy is not typed
    """Designs a multi-agent program for each query that it is called with, and answers with it.

    ``program(problem=..., entry_point=..., tests=[...])`` gives a prediction with ``answer``, ``program`` (a
    `dspy.Module` to optimise, save and call again), ``score`` and ``rounds``; `generate` gives the program alone.

    Args:
        worker: Runs operators: a `dspy.LM` or a model URI; the LM that DSPy is configured with unless given.
        meta_agent: Designs workflows: a `dspy.LM` or a model URI; the worker unless given.
        metric: Scores answers where there are no tests: DSPy's ``metric(example, prediction)`` or
            ``score(query, answer)``.
        remember: Whether a query that was designed for before gets its program again.
        sandbox: Runs code: a sandbox, the name of a tier, or None for the strongest that isolates.
        settings: Further arguments of `flowreasoner.design`: ``rounds``, ``evaluations``, ``budget_usd``, ...
    """

    def __init__(
        self,
        worker: Any = None,
        meta_agent: Any = None,
        *,
        metric: Metric | None = None,
        remember: bool = False,
        sandbox: Sandbox | str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__()
        self.worker, self.meta_agent, self.metric = worker, meta_agent, metric
        self.remember, self.sandboxes, self.settings = remember, Sandboxes(sandbox), settings
        self._designs: dict[str, tuple[WorkflowProgram, float, int]] = {}

    def forward(self, problem: str, entry_point: str = "", tests: Any = None, **more: Any) -> Any:
        """Designs a program for a query and runs it."""
        return run_sync(self.aforward(problem, entry_point, tests, **more))

    async def aforward(self, problem: str, entry_point: str = "", tests: Any = None, **more: Any) -> Any:
        """Designs a program for a query and runs it.

        Args:
            problem: The query.
            entry_point: Function that an answer in Python must define.
            tests: A list of assert statements, or what a query file's ``tests`` may be.
            more: Further fields of the example that a DSPy metric is given.

        Returns:
            A prediction with ``answer``, ``program``, ``score`` and ``rounds``.

        Raises:
            QueryError: If the query or its tests cannot be used.
            ModelError: If an LM is missing or of the wrong kind.
            NoAnswer: If no round gave an answer.
        """
        query = self._query(problem, entry_point, tests, more)
        known = self._designs.get(query.digest()) if self.remember else None
        if known is not None:
            program, score, rounds = known
            ran = await program.acall(problem=problem, entry_point=entry_point, test_cases=query.test_cases())
            return dspy.Prediction(answer=ran.answer, program=program, score=score, rounds=rounds)
        made = await self._design(query)
        program = self._program(made, query)
        return dspy.Prediction(answer=made.answer, program=program, score=made.score, rounds=len(made.rounds))

    def generate(self, problem: str, entry_point: str = "", tests: Any = None, **more: Any) -> WorkflowProgram:
        """Returns a program that was designed for a query, without running it once more; see `aforward`."""
        return run_sync(self.agenerate(problem, entry_point, tests, **more))

    async def agenerate(self, problem: str, entry_point: str = "", tests: Any = None, **more: Any) -> WorkflowProgram:
        """Returns a program that was designed for a query; see `aforward`."""
        query = self._query(problem, entry_point, tests, more)
        known = self._designs.get(query.digest()) if self.remember else None
        return known[0] if known is not None else self._program(await self._design(query), query)

    def _query(self, problem: str, entry_point: str, tests: Any, more: dict[str, Any]) -> Query:
        suite = None if not tests else Suite.from_json(tests, entry_point)
        query = Query(problem, entry_point=entry_point, feedback=suite)
        if suite is None and self.metric is not None:
            example = dspy.Example(problem=problem, entry_point=entry_point, **more).with_inputs("problem")
            query = replace(query, metric=self.metric, example=example, policy="metric")
        return query

    async def _design(self, query: Query) -> Design:
        return await design(
            query,
            meta_agent=self._model(self.worker if self.meta_agent is None else self.meta_agent),
            worker=self._model(self.worker),
            sandbox=self.sandboxes.here(),
            **self.settings,
        )

    def _model(self, given: Any) -> Any:
        return given if isinstance(given, str) else as_chat_model(given)

    def _program(self, made: Design, query: Query) -> WorkflowProgram:
        program = WorkflowProgram(made.workflow, tests=made.query.feedback, seed=self.settings.get("seed", 0))
        if isinstance(self.worker, dspy.BaseLM):
            program.set_lm(self.worker)
        if self.remember:
            self._designs[query.digest()] = (program, made.score, len(made.rounds))
        return program
