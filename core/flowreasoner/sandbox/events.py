"""What a judge reports of a run, folded into one outcome per test."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flowreasoner.sandbox.verdict import TestResult

if TYPE_CHECKING:
    from flowreasoner.sandbox.suite import Suite
    from flowreasoner.sandbox.verdict import Outcome

__all__ = ["Events", "readable"]

_WORST: tuple[Outcome, ...] = ("timeout", "error", "fail", "not_reached", "skipped", "pass")
_MOST_SHOWN = 1000
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


class Events:
    """The events of one run, taken in as they arrive.

    Tests may come from a model, and may share a process with the program, so nothing in an event is trusted.

    Attributes:
        outcomes: The worst outcome of each test that was reached, with its detail.
        running: Number of the test that is under way.
        last: Number of the last test that was begun.
        ready: Whether the tests could be started.
        load_error: Why the candidate could not be loaded.
        stopped: What ended the tests' code early.
        done: Whether the judge came to its end.
        fit: Whether the judge says that it could run other tests as well as a new one could.
        cpu_s: CPU seconds that the judge says it used.
    """

    def __init__(self, tests: int) -> None:
        self.tests = tests
        self.outcomes: dict[int, tuple[Outcome, str]] = {}
        self.running: int | None = None
        self.last: int | None = None
        self.ready = self.done = self.fit = False
        self.cpu_s = 0.0
        self.load_error = self.stopped = ""

    @property
    def complete(self) -> bool:
        """Whether the tests' code ran to its end."""
        return self.done and not self.stopped

    def add(self, event: Any) -> None:
        """Takes in one event; what is no event of ours is ignored."""
        match event:
            case {"site": int(site), "outcome": "started"} if 0 <= site < self.tests:
                self.running = self.last = site
            case {"site": int(site), "outcome": str(outcome)} if 0 <= site < self.tests and outcome in _WORST:
                self._record(site, _WORST[_WORST.index(outcome)], readable(event.get("detail")))
            case {"ready": True}:
                self.ready = True
            case {"load_error": str(error)}:
                self.load_error = readable(error)
            case {"stopped": str(error)}:
                self.stopped = readable(error)
            case {"done": True, "fit": bool(fit), "cpu_s": float(cpu_s)}:
                self.done, self.fit, self.cpu_s = True, fit, cpu_s
            case {"done": True}:
                self.done = True

    def _record(self, site: int, outcome: Outcome, detail: str) -> None:
        self.running = None
        known = self.outcomes.get(site)
        if known is None or _WORST.index(outcome) < _WORST.index(known[0]):
            self.outcomes[site] = outcome, detail

    def results(self, suite: Suite, *, timed_out: bool, ending: str) -> tuple[TestResult, ...]:
        """Returns one result per test of the suite.

        Args:
            suite: The tests that ran.
            timed_out: Whether the run was ended at its time limit.
            ending: How a run that did not complete ended.
        """
        broken: Outcome = "timeout" if timed_out else "error"
        outcomes: list[tuple[Outcome, str]] = []
        for number, case in enumerate(suite.cases):
            if self.load_error:
                outcomes.append(("error", self.load_error))
            elif number == self.running and not self.done:
                outcomes.append((broken, ending))
            elif number in self.outcomes:
                outcomes.append(self.outcomes[number])
            elif self.complete:
                outcomes.append(("pass" if case.unreachable else "not_reached", ""))
            else:
                outcomes.append(("not_reached", self.stopped or ending))
        if self.last is not None and not self.complete and all(outcome == "pass" for outcome, _ in outcomes):
            # The end came between two rounds of a loop, or after the last test: no run passes half done.
            outcomes[self.last] = ("error" if self.stopped else broken, self.stopped or ending)
        return tuple(
            TestResult(case.id, outcome, case.source, detail)
            for case, (outcome, detail) in zip(suite.cases, outcomes, strict=True)
        )


def readable(value: Any) -> str:
    """Returns text that can be stored, printed and compared between runs: bounded, no surrogates, no addresses."""
    return _ADDRESS.sub("", str(value)[:_MOST_SHOWN]).encode("utf-8", errors="replace").decode()
