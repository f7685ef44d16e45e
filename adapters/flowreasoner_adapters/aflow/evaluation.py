"""Evaluates a workflow on a set of problems: each run by itself, each answer graded in the sandbox or by a metric."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Spending
from flowreasoner.designers.grading import grade_answer
from flowreasoner.errors import ModelError, ModelRefused, RequestRefused, SandboxError
from flowreasoner.operators import BUILTIN
from flowreasoner_adapters.aflow.graph import AFlowGraph

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flowreasoner.budget import Budget
    from flowreasoner.models import ChatModel
    from flowreasoner.operators import Operator, Toolkit
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox
    from flowreasoner.workflow import Workflow

__all__ = ["Outcome", "evaluate_on", "with_optional_tests"]

_ATTEMPTS = 3
"""How often a problem is tried where the model or the sandbox, not the workflow, is at fault."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One problem's result.

    Attributes:
        query: The problem.
        prediction: The answer, or why there is none.
        extracted: What of the answer was graded.
        score: In [0, 1].
        failures: The tests that failed, or what a metric said.
        spent: What this run alone cost.
        refused: The model's refusal of one of its requests, e.g. as too long.
    """

    query: Query
    prediction: str
    extracted: str
    score: float
    failures: str
    spent: Spending
    refused: RequestRefused | None = None

    def log_entry(self) -> dict[str, str]:
        """Returns the problem as AFlow's ``log.json`` has it; reference programs are not among it."""
        right = self.failures if self.query.entry_point else self.query.reference
        return {
            "question": self.query.problem,
            "right_answer": right,
            "model_output": self.prediction,
            "extracted_output": self.extracted,
            "extract_answer_code": "None",
        }


async def evaluate_on(
    workflow: Workflow,
    queries: Sequence[Query],
    worker: Callable[[Query], ChatModel],
    sandbox: Sandbox,
    *,
    operators: Mapping[str, Operator],
    budget: Budget,
    concurrency: int,
    draw: str,
) -> list[Outcome]:
    """Runs a workflow once on every problem.

    Args:
        workflow: What to run.
        queries: On what; hidden tests score where there are any, else the feedback tests or the metric.
        worker: Gives the model for a problem.
        sandbox: Runs code.
        operators: Operators by class name.
        budget: Limits of each run.
        concurrency: Runs at the same time.
        draw: Prefix of the draws.

    Returns:
        One outcome per problem, in their order. A run that fails by its own fault scores 0.

    Raises:
        ModelError: If the model cannot be reached, after three attempts at a problem, or refuses every problem.
        SandboxError: If the sandbox fails as often.
    """
    room = asyncio.Semaphore(concurrency)

    async def one(number: int, query: Query) -> Outcome:
        async with room:
            return await _outcome(workflow, query, worker(query), sandbox, operators, budget, f"{draw}/q{number}")

    tasks = [asyncio.ensure_future(one(number, query)) for number, query in enumerate(queries)]
    try:
        outcomes = list(await asyncio.gather(*tasks))
        refusals = [item.refused for item in outcomes if item.refused is not None]
        if refusals and len(refusals) == len(outcomes):
            raise refusals[0]  # no problem is to blame for that
        return outcomes
    finally:
        for task in tasks:  # where one failed for good, the others are not paid for
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _outcome(
    workflow: Workflow,
    query: Query,
    model: ChatModel,
    sandbox: Sandbox,
    operators: Mapping[str, Operator],
    budget: Budget,
    draw: str,
) -> Outcome:
    tests = {query.entry_point: query.feedback} if query.feedback is not None else {}
    graph = AFlowGraph(
        workflow,
        model,
        sandbox=sandbox,
        tests=tests,
        budget=budget,
        operators=operators if tests else with_optional_tests(operators),
        draw=draw,
    )
    for attempt in range(_ATTEMPTS):
        try:
            result = await graph.run(query.problem, query.entry_point)
            break
        except ModelRefused:
            raise
        except RequestRefused as error:
            return Outcome(query, str(error), "", 0.0, str(error), Spending(), error)
        except (ModelError, SandboxError):
            if attempt == _ATTEMPTS - 1:
                raise
    if result.answer is None:
        return Outcome(query, str(result.error), "", 0.0, str(result.error), result.spent)
    scored = query if query.hidden is None else replace(query, feedback=query.hidden)
    grade = await grade_answer(result.answer, scored, sandbox)
    failing = [f"{test.outcome}: {test.source} {test.detail}" for test in grade.tests if test.outcome != "pass"]
    failures = "\n".join(failing[:8]) or grade.note
    return Outcome(query, result.answer, grade.answer, grade.score, failures, result.spent)


def with_optional_tests(operators: Mapping[str, Operator]) -> Mapping[str, Operator]:
    """Returns the operators with a ``Test`` that passes where a problem has no public tests, as AFlow's does."""

    async def passes(_: Operator, toolkit: Toolkit, inputs: dict[str, Any]) -> dict[str, Any]:
        if inputs["test_cases"]:
            return await BUILTIN["Test"](toolkit, inputs)
        return {"result": True, "solution": inputs["solution"]}

    return {name: replace(item, perform=passes) if name == "Test" else item for name, item in operators.items()}
