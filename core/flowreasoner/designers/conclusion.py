"""The end of every design: the best round is chosen (Eq. 5), and its answer meets the hidden tests, once."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from flowreasoner.budget import Spending
from flowreasoner.designers.base import Design, select_best
from flowreasoner.designers.grading import grade_with_suite
from flowreasoner.errors import NoAnswer
from flowreasoner.events import DesignEnded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.designers.base import Round, StopReason
    from flowreasoner.designers.workbench import Workbench
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox, Suite

__all__ = ["conclude", "judge"]


async def conclude(
    query: Query, rounds: Sequence[Round], stopped: StopReason, bench: Workbench, *, began: float
) -> Design:
    """Makes a design of its rounds, and reports it.

    Args:
        query: What was asked, with the tests that were used.
        rounds: All rounds, at least one.
        stopped: Why there are no more.
        bench: What they were made with.
        began: `time.perf_counter` when the design began.

    Raises:
        NoAnswer: If no round gave an answer.
        SandboxError: If the sandbox fails.
    """
    best = select_best(list(rounds))
    if best is None:
        told = rounds[-1].feedback.complaint or "nothing"
        said = f"none of the {len(rounds)} rounds gave an answer; the last one said" if len(rounds) > 1 else "no answer"
        raise NoAnswer(f"{said}: {told}")
    design = Design(
        query,
        tuple(rounds),
        best,
        bench.meta_agent.name,
        bench.worker.name,
        bench.simulated_models,
        stopped,
        run=bench.journal.run,
        tier=bench.sandbox.tier,
        isolated=bench.sandbox.isolated,
        extra=bench.meter.spent - sum((item.cost for item in rounds), Spending()),
    )
    if query.hidden is not None:
        design = await judge(design, query.hidden, bench.sandbox)
    design = replace(design, seconds=time.perf_counter() - began)
    bench.emit(DesignEnded(design))
    return design


async def judge(design: Design, hidden: Suite, sandbox: Sandbox) -> Design:
    """Returns the design with what the hidden tests say of its answer.

    Raises:
        SandboxError: If the sandbox fails.
    """
    grade = await grade_with_suite(design.answer, hidden, sandbox)
    return replace(design, hidden_score=grade.score, hidden_passed=grade.score >= 1.0)
