"""Shows a design run while it goes on: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Spending
from flowreasoner.events import (
    CallEnded,
    DesignEnded,
    DesignStarted,
    EvaluationEnded,
    RoundEnded,
    RoundStarted,
    TestsWritten,
    WorkflowProposed,
)
from flowreasoner_plugins.cli.wording import clock, model_name, one_line, price, told

if TYPE_CHECKING:
    from flowreasoner.designers import Round
    from flowreasoner.events import Event

__all__ = ["LiveProgress", "PlainProgress", "make_progress"]


class _Tally:
    """What a progress display needs to remember."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.total = self.evaluations = self.calls = self.graded = self.number = self.done = 0
        self.spent = Spending()
        self.scores: list[float] = []
        self.state = "starting"

    def take(self, event: Event) -> None:
        """Takes in an event."""
        match event:
            case DesignStarted():
                self.total, self.evaluations, self.done = event.rounds, event.evaluations, event.resumed
            case RoundStarted():
                self.number, self.calls, self.graded = event.number, 0, 0
                self.state = "the meta-agent is designing"
            case WorkflowProposed(workflow=None):
                self.state = "refused by the checker, asking for a correction"
            case WorkflowProposed():
                self.state = "running the workflow"
            case CallEnded():
                self.calls += 1
            case EvaluationEnded():
                self.graded += 1
            case RoundEnded():
                self.spent += event.round.cost
                self.scores.append(event.round.score)
                self.state = "between rounds"

    def remaining(self) -> str:
        """Returns an estimate of the time left if all rounds are made."""
        made = len(self.scores)
        if not made:
            return ""
        left = (time.monotonic() - self.start) / made * (self.total - self.done - made)
        return f"about {clock(left)} left if all rounds are made" if left > 1 else ""


class PlainProgress:
    """One line an event that matters, on standard error."""

    def __init__(self) -> None:
        self.tally = _Tally()

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, event: Event) -> None:
        """Takes in an event and prints what there is to say."""
        self.tally.take(event)
        for line in self._lines(event):
            sys.stderr.write(f"{' ' * (len(line) - len(line.lstrip()))}{one_line(line)}\n")
        sys.stderr.flush()

    def _lines(self, event: Event) -> list[str]:
        match event:
            case DesignStarted():
                lines = [f"designing for {event.query.id}: {event.query.title}"]
                lines.append(f"meta-agent {model_name(event.meta_agent)}, worker {model_name(event.worker)}")
                if event.resumed:
                    lines.append(f"resumed after {event.resumed} finished rounds")
                return lines
            case TestsWritten():
                return ["the query has no tests; the worker wrote:", *(f"- {test}" for test in event.tests)]
            case WorkflowProposed(workflow=None):
                errors = [item for item in event.diagnostics if item.severity == "error"]
                count = f"{len(errors)} error{'s' * (len(errors) != 1)}"
                return [f"round {event.number}: refused ({count}): {errors[0]}"]
            case EvaluationEnded(number=0):
                failed = event.evaluation.error and f", {event.evaluation.error}"
                return [f"run {event.index}: score {event.evaluation.score:.2f}{failed}"]
            case RoundEnded():
                item = event.round
                cost = price(item.cost.usd, item.cost.unpriced_calls)
                lines = [
                    f"round {item.number}/{self.tally.total}: score {item.score:.2f}, {item.cost.model_calls} calls, "
                    f"{cost}: {told(item.modification, valid=item.workflow is not None)}"
                ]
                lines += [f"  failed: {item.feedback.complaint}"] * bool(item.feedback.complaint)
                left = self.tally.remaining() if not item.feedback.perfect else ""
                return lines + [f"  {left}"] * bool(left)
            case DesignEnded():
                ended = "stopped by the budget after" if event.design.stopped == "budget" else "done in"
                return [f"{ended} {clock(event.design.seconds)}: best is round {event.design.best.number}"]
        return []


class LiveProgress:
    """A table of rounds that grows, with a line on what is going on."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self.tally = _Tally()
        self.rounds: list[Round] = []
        self.notes: list[str] = []
        self.console = Console(stderr=True)
        self.live = Live(console=self.console, get_renderable=self._render, refresh_per_second=8, transient=True)

    def __enter__(self) -> LiveProgress:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def __call__(self, event: Event) -> None:
        """Takes in an event; the display refreshes itself."""
        self.tally.take(event)
        match event:
            case DesignStarted():
                self.notes.append(f"{event.query.id}: {event.query.title}")
                self.notes.append(f"meta-agent {model_name(event.meta_agent)} · worker {model_name(event.worker)}")
            case TestsWritten():
                self.notes.append(f"the worker wrote {len(event.tests)} tests")
            case RoundEnded():
                self.rounds.append(event.round)

    def _render(self) -> Any:
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.text import Text

        from flowreasoner_plugins.cli.render import rounds_table

        tally = self.tally
        state = f"round {tally.number}/{tally.total} · {tally.state}" if tally.total else "running the workflow"
        if tally.calls:
            state += f" · {tally.calls} calls · {tally.graded}/{tally.evaluations or '?'} graded"
        facts = [price(tally.spent.usd, tally.spent.unpriced_calls), clock(time.monotonic() - tally.start)]
        state = " · ".join(filter(None, [state, *facts, tally.remaining()]))
        notes = [Text(one_line(note), style="dim", overflow="ellipsis", no_wrap=True) for note in self.notes]
        parts: list[Any] = [*notes, Spinner("dots", text=Text(state))]
        if self.rounds:
            parts.insert(len(notes), rounds_table([item.to_summary() for item in self.rounds], None))
        return Group(*parts)


class _Silent:
    """Shows nothing."""

    def __enter__(self) -> _Silent:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, event: Event) -> None:
        """Does nothing."""


def make_progress(*, quiet: bool) -> PlainProgress | LiveProgress | _Silent:
    """Returns the progress display that fits standard error."""
    if quiet:
        return _Silent()
    return LiveProgress() if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" else PlainProgress()
