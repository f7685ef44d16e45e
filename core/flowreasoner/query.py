"""A query: what is asked, the tests that steer the rounds, and the hidden tests that only score the end (§3).

Feedback tests are shown to the meta-agent and to workflows. Hidden tests are neither: they stay in
`Query.hidden`, are run once on the final answer, and never reach a prompt, a trace, a log or the store.
"""

from __future__ import annotations

import doctest
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from flowreasoner.errors import QueryError
from flowreasoner.sandbox.suite import Suite
from flowreasoner.text import shorten, well_formed

__all__ = ["Metric", "Query", "SuiteReader", "TestPolicy"]

TestPolicy = Literal["given", "public", "split", "all", "written", "metric"]
"""Where the feedback tests come from.

given
    the query states feedback and hidden tests separately
public
    the examples in the problem text steer; all tests score
split
    a seeded share of the tests steers, the others score
all
    the same tests steer and score: the paper's own setting, leaky, and labelled so in every result
written
    there were none; the worker wrote them
metric
    a Python function scores
"""

SuiteReader = Callable[[Any, str], Suite]
"""Reads tests of a plugin's format: ``reader(source, entry_point) -> Suite``."""

Metric = Callable[..., Any]
"""``score(query, answer) -> float`` or DSPy's ``metric(example, prediction)``; may be async."""


@dataclass(frozen=True)
class Query:
    """One user query.

    Attributes:
        problem: What is asked, as text.
        id: Short identifier; made from the problem when absent.
        entry_point: Name of the function that an answer in Python must define.
        feedback: Tests that steer the rounds.
        hidden: Tests that only score the final answer.
        metric: Scores an answer instead of tests.
        example: What a DSPy metric gets as its example; made from the query when absent.
        reference: A correct answer, read by simulations only and never shown to a model.
        policy: Where the feedback tests come from.
        metadata: Anything else, carried along.
    """

    problem: str
    id: str = ""
    entry_point: str = ""
    feedback: Suite | None = None
    hidden: Suite | None = field(default=None, repr=False)
    metric: Metric | None = None
    example: Any = None
    reference: str = field(default="", repr=False)
    policy: TestPolicy = "given"
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.problem, str):
            raise QueryError(f"the query's problem must be text, not {type(self.problem).__name__}")
        if not self.problem.strip():
            raise QueryError("the query's problem is empty")
        if self.entry_point and not self.entry_point.isidentifier():
            raise QueryError(f"entry_point must be the name of a function, not {self.entry_point!r:.60}")
        if self.metric is not None and not callable(self.metric):
            raise QueryError(f"metric must be a function, not {type(self.metric).__name__}")
        if self.problem != well_formed(self.problem):
            raise QueryError("the query's problem holds bytes or characters that are no text; give it as UTF-8")
        for name in ("feedback", "hidden"):
            given = getattr(self, name)
            if given is not None and not isinstance(given, Suite):
                raise QueryError(f"{name} must be a Suite, e.g. Suite.asserts([...]), not {type(given).__name__}")
        if not self.id:
            digest = hashlib.sha256(self.problem.encode("utf-8", "surrogatepass")).hexdigest()
            object.__setattr__(self, "id", f"query-{digest[:8]}")
        if self.metric is not None and self.feedback is None:
            object.__setattr__(self, "policy", "metric")

    @property
    def title(self) -> str:
        """First line of the problem, cut for a list."""
        lines = [line for line in self.problem.strip().splitlines() if not line.startswith(("import ", "from "))]
        return shorten(next(filter(str.strip, lines), self.problem), 80)

    @property
    def leaky(self) -> bool:
        """Whether the tests that score also steered."""
        return self.policy == "all"

    def test_cases(self) -> list[str]:
        """Returns the feedback tests as a workflow's ``test_cases`` argument."""
        return [] if self.feedback is None else [case.source for case in self.feedback.cases]

    def digest(self) -> str:
        """Returns a hash of all that steers the rounds, to recognise the query on resume."""
        feedback = None if self.feedback is None else [(case.id, case.source) for case in self.feedback.cases]
        text = json.dumps([self.id, self.problem, self.entry_point, self.policy, feedback])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def with_policy(self, policy: Literal["public", "split", "all"], *, seed: int = 0, share: float = 0.5) -> Query:
        """Returns the query with its tests divided anew.

        Args:
            policy: ``public``, ``split`` or ``all``.
            seed: Decides the share of ``split``.
            share: Share of the tests that goes to feedback under ``split``.

        Raises:
            QueryError: If the query has no tests, or no examples for ``public``.
        """
        every = self.hidden or self.feedback
        if every is None:
            raise QueryError(f"query {self.id!r} has no tests to divide by the policy {policy!r}")
        match policy:
            case "all":
                return replace(self, feedback=every, hidden=every, policy=policy)
            case "split":
                feedback, hidden = every.split(share, seed)
                return replace(self, feedback=feedback, hidden=hidden, policy=policy)
        return replace(self, feedback=self._examples(), hidden=every, policy=policy)

    def _examples(self) -> Suite:
        """Returns the ``>>>`` examples of the problem as tests."""
        try:
            examples = doctest.DocTestParser().get_examples(_DOCSTRING_ENDS.sub("", self.problem))
        except ValueError:
            examples = []
        tests = [
            f"assert {example.source.strip()} == {example.want.strip()}"
            for example in examples
            if example.want.strip() and "\n" not in example.source.strip() and "\n" not in example.want.strip()
        ]
        usable = [test for test in tests if _compiles(test)]
        if not usable:
            raise QueryError(f"the problem of {self.id!r} has no >>> examples; use the policy split, or give tests")
        return Suite.asserts(usable, self.entry_point)


_DOCSTRING_ENDS = re.compile(r"""^[ \t]*(?:\"{3}|'{3})[ \t]*$""", re.M)  # no part of what the last example prints


def _compiles(source: str) -> bool:
    try:
        Suite.asserts([source])
    except QueryError:
        return False
    return True
