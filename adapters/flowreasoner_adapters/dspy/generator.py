"""The program generator: a DSPy module that designs a program for each query and runs it (§4.3)."""

from __future__ import annotations

import functools
import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dspy

from flowreasoner.api import design
from flowreasoner.errors import ModelRefused
from flowreasoner.query import Query
from flowreasoner.sandbox.suite import Suite
from flowreasoner_adapters.arguments import check_design_settings
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
        remember: Whether a query that was designed for before is answered by its program at once.
        sandbox: Runs code: a sandbox, the name of a tier, or None for the strongest that isolates.
        settings: Further arguments of `flowreasoner.design`: ``rounds``, ``evaluations``, ``budget_usd``, ...

    Attributes:
        programs: The programs that are remembered, by the digest of their query; their predictors are this module's
            own, for optimizers to work on.

    Raises:
        ModelRefused: If a model is of the wrong kind.
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
        check_design_settings(settings)
        for given in (worker, meta_agent):
            if given is not None:
                _model(given)
        self.worker, self.meta_agent, self.metric = worker, meta_agent, metric
        self.remember, self.sandboxes, self.settings = remember, Sandboxes(sandbox), settings
        self.programs: dict[str, WorkflowProgram] = {}
        self._scores: dict[str, tuple[float, int]] = {}

    def forward(self, problem: str | Query = "", entry_point: str = "", tests: Any = None, **more: Any) -> Any:
        """Designs a program for a query and runs it; see `aforward`."""
        return run_sync(self.aforward(problem, entry_point, tests, **more))

    async def aforward(self, problem: str | Query = "", entry_point: str = "", tests: Any = None, **more: Any) -> Any:
        """Designs a program for a query and runs it.

        Args:
            problem: What is asked, also under the name ``question``; or a query, with its tests or metric.
            entry_point: Function that an answer in Python must define.
            tests: A list of assert statements, or what a query file's ``tests`` may be.
            more: Further fields of the example that a DSPy metric is given.

        Returns:
            A prediction with ``answer``, ``program``, ``score`` in [0, 1] and ``rounds``.

        Raises:
            QueryError: If the query or its tests cannot be used.
            ModelError: If an LM is missing, of the wrong kind, or fails.
            NoAnswer: If no round gave an answer.
        """
        query = self._query(problem, entry_point, tests, more)
        key = query.digest()
        if self.remember and key in self.programs:
            program = self.programs[key]
            given = {"problem": query.problem, "entry_point": query.entry_point, "test_cases": query.test_cases()}
            ran = await program.acall(**given)
            score, rounds = self._scores[key]
            return dspy.Prediction(answer=ran.answer, program=program, score=score, rounds=rounds)
        made = await self._design(query)
        program = self._program(made, key)
        return dspy.Prediction(answer=made.answer, program=program, score=made.score, rounds=len(made.rounds))

    def generate(
        self, problem: str | Query = "", entry_point: str = "", tests: Any = None, **more: Any
    ) -> WorkflowProgram:
        """Returns a program that was designed for a query, without running it once more; see `aforward`."""
        return run_sync(self.agenerate(problem, entry_point, tests, **more))

    async def agenerate(
        self, problem: str | Query = "", entry_point: str = "", tests: Any = None, **more: Any
    ) -> WorkflowProgram:
        """Returns a program that was designed for a query; see `aforward`."""
        query = self._query(problem, entry_point, tests, more)
        key = query.digest()
        if self.remember and key in self.programs:
            return self.programs[key]
        return self._program(await self._design(query), key)

    def _query(self, problem: str | Query, entry_point: str, tests: Any, more: dict[str, Any]) -> Query:
        if isinstance(problem, Query):
            return problem
        problem = problem or more.get("question", "")
        suite = None if not tests else Suite.from_json(tests, entry_point)
        query = Query(problem, entry_point=entry_point, feedback=suite)
        if suite is None and self.metric is not None:
            fields = {"problem": problem, "question": problem, "entry_point": entry_point, **more}
            example = dspy.Example(**fields).with_inputs("problem", "question", "entry_point")
            query = replace(query, metric=_as_core_metric(self.metric), example=example, policy="metric")
        return query

    async def _design(self, query: Query) -> Design:
        return await design(
            query,
            meta_agent=_model(self.worker if self.meta_agent is None else self.meta_agent),
            worker=_model(self.worker),
            sandbox=self.sandboxes.here(),
            **self.settings,
        )

    def _program(self, made: Design, key: str) -> WorkflowProgram:
        program = WorkflowProgram(made.workflow, tests=made.query.feedback, seed=self.settings.get("seed", 0))
        if isinstance(self.worker, dspy.BaseLM):
            program.set_lm(self.worker)
        if self.remember:
            self.programs[key], self._scores[key] = program, (made.score, len(made.rounds))
        return program


def _model(given: Any) -> Any:
    """Returns what `flowreasoner.design` takes for an LM."""
    if not isinstance(given, str):
        return as_chat_model(given)
    if "/" in given and ":" not in given.partition("/")[0]:
        message = f"{given!r} is DSPy's way to name a model: give dspy.LM({given!r}), or a URI such as 'openai:gpt-4o'"
        raise ModelRefused(message)
    return given


def _as_core_metric(metric: Metric) -> Metric:
    """Returns a metric that gets a `dspy.Prediction`, and None for the trace and what else optimizers fill in."""
    try:
        parameters = list(inspect.signature(metric).parameters.values())
    except (TypeError, ValueError):
        return metric
    names = [parameter.name for parameter in parameters]
    if names[:2] in (["query", "answer"], ["q", "a"]):
        return metric
    unfilled = [
        item for item in parameters[2:] if item.default is item.empty and item.kind is item.POSITIONAL_OR_KEYWORD
    ]

    @functools.wraps(metric)
    def scored(example: Any, prediction: Any) -> Any:
        return metric(example, dspy.Prediction(answer=prediction.answer), *[None for _ in unfilled])

    del scored.__wrapped__  # its parameters are what counts
    return scored
