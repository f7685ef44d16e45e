"""``flowreasoner run``: an existing workflow on a query."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowreasoner.errors import FlowReasonerError, QueryError, WorkflowInvalid
from flowreasoner_plugins.cli import options
from flowreasoner_plugins.cli.exits import FAILED, INTERRUPTED, OK, Failure, usage_errors
from flowreasoner_plugins.cli.inputs import QuerySource, check_workflow_file, make_model, make_sandbox
from flowreasoner_plugins.cli.progress import make_progress

if TYPE_CHECKING:
    from flowreasoner.feedback import Feedback
    from flowreasoner.models import ChatModel
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox
    from flowreasoner.workflow import Workflow
    from flowreasoner_plugins.manager import Plugins

__all__ = ["command"]


@click.command("run", short_help="Run an existing workflow on a query.")
@click.argument("workflow", metavar="WORKFLOW", type=click.Path(path_type=Path))
@click.argument("query")
@options.worker
@click.option("--evaluations", type=click.IntRange(min=1), default=1, show_default=True, help="Runs of the workflow.")
@options.check
@options.check_dir
@options.metric
@options.tests_policy
@options.data
@options.budget_usd
@options.max_calls
@options.seed
@options.sandbox
@options.store
@options.as_json
@options.quiet
@click.pass_obj
def command(plugins: Plugins, /, **given: Any) -> None:
    """Run a WORKFLOW file on a QUERY and grade its answers.

    QUERY is a query file, or benchmark:task. The best answer is graded by the hidden tests too, where there
    are any. Ends with 0 if every run passes all feedback tests and the best answer all hidden ones, 1 if not,
    2 on wrong usage, 3 when a model, the sandbox or the store fails.

    \b
    Examples:
      flowreasoner run graph.py demo:spiral-walk
      flowreasoner run graph.py query.yaml --worker openai:gpt-4o-mini --evaluations 3 --json
    """
    workflow, query = usage_errors(lambda: _load(plugins, given))
    worker = usage_errors(
        lambda: make_model(
            plugins, given["worker"], "worker", query, given["seed"], need_price=given["budget_usd"] is not None
        )
    )
    sandbox = usage_errors(lambda: make_sandbox(plugins, given["sandbox"]))
    try:
        feedback, hidden = asyncio.run(_evaluate(plugins, given, workflow, query, worker, sandbox))
    except KeyboardInterrupt:
        message = "interrupted; finished calls are kept, and answered from the store when you run it again"
        raise Failure(message, INTERRUPTED) from None
    except FlowReasonerError as error:
        raise Failure.of(error) from None
    result = _result(feedback, hidden, query, worker, sandbox)
    if given["as_json"]:
        click.echo(json.dumps(result))
    else:
        from flowreasoner_plugins.cli.render import print_run

        print_run(result, feedback.render())
    raise SystemExit(OK if result["passed"] else FAILED)


def _load(plugins: Plugins, given: dict[str, Any]) -> tuple[Workflow, Query]:
    report = check_workflow_file(given["workflow"], plugins)
    if report.workflow is None:
        raise WorkflowInvalid(report.diagnostics)
    source = QuerySource.of(given)
    query = source.load(plugins)
    if query.feedback is None and query.metric is None:
        raise QueryError("the query has no tests to grade the answer with; give tests, or --check COMMAND")
    return report.workflow, query


async def _evaluate(
    plugins: Plugins, given: dict[str, Any], workflow: Workflow, query: Query, worker: Any, sandbox: Any
) -> tuple[Feedback, float | None]:
    """Returns the feedback of all runs, and the best answer's score on the hidden tests, where there are any."""
    from flowreasoner.api import evaluate
    from flowreasoner.budget import Budget
    from flowreasoner.designers.grading import grade_with_suite
    from flowreasoner.store import Store, default_store_path

    store = Store(given["store"] or default_store_path())
    with contextlib.closing(store), make_progress(quiet=given["quiet"]) as progress:
        try:
            feedback = await evaluate(
                workflow,
                query,
                worker=worker,
                evaluations=given["evaluations"],
                budget=Budget(calls=given["max_calls"]),
                budget_usd=given["budget_usd"],
                seed=given["seed"],
                sandbox=sandbox,
                operators=plugins.operators,
                store=store,
                observers=(progress, *plugins.observers),
            )
            if query.hidden is None:
                return feedback, None
            answer = "" if feedback.best is None else feedback.best.answer or ""
            return feedback, (await grade_with_suite(answer, query.hidden, sandbox)).score
        finally:
            await worker.aclose()
            await sandbox.aclose()


def _result(
    feedback: Feedback, hidden: float | None, query: Query, worker: ChatModel, sandbox: Sandbox
) -> dict[str, Any]:
    best = feedback.best
    spent = feedback.spent
    return {
        "query": query.id,
        "answer": None if best is None else best.answer,
        "score": feedback.score if hidden is None else hidden,
        "feedback_score": feedback.score,
        "hidden_score": hidden,
        "passed": feedback.perfect and hidden in {None, 1.0},
        "tests": query.policy,
        "leaky": query.leaky,
        "evaluations": [item.to_json() for item in feedback.evaluations],
        "diagnostics": [item.to_json() for item in feedback.diagnostics],
        "dropped": list(feedback.dropped),
        "models": {"worker": worker.name},
        "simulated": worker.simulated,
        "simulated_models": ["worker"] * worker.simulated,
        "cost_usd": spent.usd,
        "unpriced_calls": spent.unpriced_calls,
        "calls": spent.model_calls,
        "sandbox": {"tier": sandbox.tier, "isolated": sandbox.isolated},
    }
