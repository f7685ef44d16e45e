"""FlowReasoner's mode of the optimizer: a workflow of its own for every query, in a workspace of its own."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Budget, Meter
from flowreasoner.designers import FlowReasoner, Workbench
from flowreasoner.errors import NoAnswer, QueryError, StoreError
from flowreasoner_adapters.aflow.evaluation import evaluate_on
from flowreasoner_adapters.aflow.reading import Experience, Result, read_workspace
from flowreasoner_adapters.aflow.workspace import (
    write_evaluation,
    write_json,
    write_refused,
    write_round,
    write_template,
    write_text,
)

if TYPE_CHECKING:
    from pathlib import Path

    from flowreasoner.designers import Design, Round
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox
    from flowreasoner_adapters.aflow.optimizer import Optimizer

__all__ = ["RoundFolders", "design_each", "query_folder", "test_each"]

_RECORD = "flowreasoner.json"


def query_folder(root: Path, query: Query) -> Path:
    """Returns a query's own folder; the digest keeps apart those whose names are alike."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", query.id).strip("._")[:60]
    return root / "queries" / f"{name or 'query'}-{query.digest()}"


class RoundFolders:
    """A journal of rounds: AFlow's files per round, and beside them the whole round, for going on after a kill.

    Args:
        folder: Where the rounds lie.
        query: Whose they are.
        layout: Which imports graph files have.
        dataset: AFlow's name of the data set.
    """

    run = ""

    def __init__(self, folder: Path, query: Query, layout: Any, dataset: str) -> None:
        self.folder, self.query, self.layout, self.dataset = folder, query, layout, dataset

    def finished(self) -> list[dict[str, Any]]:
        """Returns the rounds that were finished before.

        Raises:
            StoreError: If a round's record cannot be read.
        """
        records: list[dict[str, Any]] = []
        while (path := self.folder / f"round_{len(records) + 1}" / _RECORD).is_file():
            try:
                records.append(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError) as error:
                raise StoreError(f"cannot read {str(path)!r}: {error}; remove it to make the round anew") from None
        return records

    def keep(self, finished: Round) -> None:
        """Writes a finished round down; its record comes last, and says that it is whole."""
        folder = self.folder / f"round_{finished.number}"
        if finished.workflow is None:
            write_refused(folder, finished.graph, finished.prompt, finished.feedback.diagnostics)
        else:
            write_round(folder, finished.workflow, layout=self.layout, dataset=self.dataset, number=finished.number)
        failed = []
        for item in finished.feedback.evaluations:
            columns = ["inputs", "prediction", "expected_output", "score", "cost"]
            row = (self.query.problem, item.answer or item.error, "", item.score, item.spent.usd)
            write_evaluation(folder, columns, [row], item.score)
            if item.score < 1:
                failed.append(self._log_entry(item))
        write_json(folder / "log.json", failed)
        self._keep_results(finished)
        if finished.number > 1:
            before = read_workspace(self.folder).scores.get(finished.number - 1, 0.0)
            changed = Experience(
                finished.number - 1, finished.modification, before, finished.score, finished.score > before
            )
            write_json(folder / "experience.json", changed.to_json())
        write_text(folder / _RECORD, json.dumps(finished.to_json(), ensure_ascii=False))

    def _log_entry(self, item: Any) -> dict[str, str]:
        failing = [f"{test.outcome}: {test.source} {test.detail}" for test in item.tests if test.outcome != "pass"]
        return {
            "question": self.query.problem,
            "right_answer": "\n".join(failing) or item.note,
            "model_output": item.answer or item.error,
            "extracted_output": item.answer or "",
            "extract_answer_code": "None",
        }

    def _keep_results(self, finished: Round) -> None:
        rows = [row for row in read_workspace(self.folder).results if row.round != finished.number]
        runs = finished.feedback.evaluations
        now = f"{datetime.now()}"
        rows += [Result(finished.number, item.score, item.spent.usd, item.spent.usd, now) for item in runs]
        rows += [Result(finished.number, 0.0, time=now)] * (not runs)
        write_json(self.folder / "results.json", [row.to_json() for row in rows])


async def design_each(optimizer: Optimizer, sandbox: Sandbox) -> None:
    """Designs a workflow for each test query, one after the other, each from nothing but its own feedback tests."""
    for query in optimizer.data.test:
        folder = query_folder(optimizer.root_path, query)
        summary = folder / "design.json"
        if summary.exists():
            continue
        write_template(folder / "workflows" / "template", optimizer.operators.values())
        journal = RoundFolders(folder / "workflows", query, optimizer.layout, optimizer.dataset)
        meter = Meter(Budget.unlimited())
        bench = Workbench(
            optimizer.model("meta_agent", query),
            optimizer.model("worker", query),
            sandbox,
            optimizer.operators,
            optimizer.budget,
            meter,
            optimizer.seed,
            journal,
        )
        designer = FlowReasoner(optimizer.max_rounds, optimizer.validation_rounds)
        try:
            design = await designer.design(query, bench)
        except NoAnswer as error:
            told: dict[str, Any] = {"query": query.id, "score": 0.0, "best_round": None, "error": str(error)}
        else:
            told = _summary(design)
        optimizer.spent += meter.spent
        write_json(summary, told)
        _collect(optimizer)


def _summary(design: Design) -> dict[str, Any]:
    return {
        "query": design.query.id,
        "score": design.score,
        "feedback_score": design.best.score,
        "hidden_score": design.hidden_score,
        "best_round": design.best.number,
        "rounds": len(design.rounds),
        "leaky": design.query.leaky,
        "simulated": design.simulated,
        "cost": design.cost.usd,
    }


def _collect(optimizer: Optimizer) -> None:
    """Writes the summaries of all queries into one file."""
    paths = sorted((optimizer.root_path / "queries").glob("*/design.json"))
    write_json(optimizer.root_path / "designs.json", [json.loads(path.read_text(encoding="utf-8")) for path in paths])


async def test_each(optimizer: Optimizer, sandbox: Sandbox) -> None:
    """Runs each query's best workflow anew, `test_runs` times, and scores the answers with its hidden tests.

    Raises:
        QueryError: If a query has no design yet.
    """
    for query in optimizer.data.test:
        folder = query_folder(optimizer.root_path, query)
        best = read_workspace(folder, optimizer.operators).best if folder.is_dir() else None
        if best is None or best.workflow is None:
            if (folder / "design.json").exists():
                continue  # no round gave an answer
            raise QueryError(f"query {query.id!r} has no design in {str(folder)!r}: call optimize('Graph') first")
        tested = folder / "workflows_test"
        write_round(
            tested / best.path.name,
            best.workflow,
            layout=optimizer.layout,
            dataset=optimizer.dataset,
            number=best.number,
        )
        rows = list(read_workspace(tested).results)
        for index in range(len(rows) + 1, optimizer.test_runs + 1):
            outcomes = await evaluate_on(
                best.workflow,
                [query],
                lambda asked: optimizer.model("worker", asked),
                sandbox,
                operators=optimizer.operators,
                budget=optimizer.budget,
                concurrency=1,
                draw=f"{optimizer.seed}/t{best.number}/e{index}",
            )
            rows.append(replace(optimizer.write_outcomes(tested / best.path.name, best.number, outcomes)))
            write_json(tested / "results.json", [row.to_json() for row in rows])
