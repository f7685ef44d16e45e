"""A program as a graph of steps: what every framework of nodes and edges needs of it (`step_graph`).

A step is an operator call with the statements around it, a sample of a fan-out, the collection of its results, or
statements alone. The variables that outlive a step are the graph's state.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flowreasoner.workflow.program import CallSite, Program

__all__ = [
    "Dispatch",
    "Exit",
    "Finish",
    "Handler",
    "Next",
    "Reraise",
    "Route",
    "Step",
    "StepGraph",
    "StepKind",
    "destinations",
]

StepKind = Literal["call", "sample", "subgraph", "collect", "step"]


@dataclass(eq=False)
class Next:
    """Goes on with a step."""

    step: str


@dataclass(eq=False)
class Finish:
    """Ends the graph; the answer, or a subgraph's value, is stored."""


@dataclass(eq=False)
class Reraise:
    """Raises the error again that a handler was entered with."""


@dataclass(eq=False)
class Route:
    """Goes on by a test that cannot fail and changes nothing."""

    test: ast.expr
    yes: Exit
    no: Exit


@dataclass(eq=False)
class Dispatch:
    """Starts the requested samples, then goes on with the step that collects them."""

    samples: tuple[str, ...]
    collect: str


Exit = Next | Finish | Reraise | Route | Dispatch


def destinations(exit_: Exit) -> set[str | None]:
    """Returns the steps that an exit may go on with; None stands for the end."""
    match exit_:
        case Next(step=step):
            return {step}
        case Route(yes=yes, no=no):
            return destinations(yes) | destinations(no)
        case Dispatch(samples=samples, collect=collect):
            return {*samples, collect}
        case Reraise():
            return set()
    return {None}


@dataclass(frozen=True)
class Handler:
    """Where a step goes on after an error: exception names (none for all), and the step."""

    exceptions: tuple[str, ...]
    step: str


@dataclass(eq=False)
class Step:
    """One node.

    Attributes:
        name: Unique in the graph, e.g. ``custom_1`` or ``answer``.
        kind: ``call``: runs `before`, the call, `after`; ``sample``: one requested call of a fan-out;
            ``subgraph``: one requested run of a helper; ``collect``: stores a fan-out's results, runs `after`;
            ``step``: runs `before`.
        line: Line in the given text.
        before: Statements before the call.
        call: The operator call, for the kinds ``call`` and ``sample``.
        target: Where the call's result goes, or a fan-out's list of results.
        after: Statements after the call.
        answer: The value that ends the graph, evaluated after all statements.
        requests: Arguments of the gathering that the step ends with.
        keep: Whether errors of a fan-out's calls are kept as values: ``return_exceptions``.
        guarded: For samples and subgraphs, whether an error is handed to the step that collects, as a `try` may catch
            it there.
        single: For ``collect``, whether there is one call, whose result is stored itself.
        site: The call site, for calls and samples.
        graph: Of a subgraph, its steps.
        exit: What comes next.
        handlers: Where errors go, the innermost `try` first; errors without a handler end the run.
        caught: For a handler's first step, the name that the error is bound to, may be empty.
    """

    name: str
    kind: StepKind
    line: int = 0
    before: list[ast.stmt] = field(default_factory=list)
    call: ast.Call | None = None
    target: ast.expr | None = None
    after: list[ast.stmt] = field(default_factory=list)
    answer: ast.expr | None = None
    requests: list[ast.expr] | None = None
    keep: ast.expr | None = None
    guarded: bool = False
    single: bool = False
    site: CallSite | None = None
    graph: StepGraph | None = None
    exit: Exit = field(default_factory=Finish)
    handlers: tuple[Handler, ...] = ()
    caught: str | None = None

    def expressions(self) -> Iterator[ast.AST]:
        """Yields what the step evaluates, in order, without its exit."""
        yield from self.before
        if self.call is not None:
            yield from (keyword.value for keyword in self.call.keywords)
        if self.target is not None:
            yield self.target
        yield from self.after
        if self.answer is not None:
            yield self.answer
        if self.keep is not None:
            yield self.keep
        yield from self.requests or ()


@dataclass(eq=False)
class StepGraph:
    """The steps of one method.

    Attributes:
        program: The lowered program; its synchronous helpers are called from statements.
        parameters: The method's parameters.
        defaults: Their default expressions, where they have one.
        steps: The steps by name; the first one is the entry.
        variables: State: the variables that outlive a step, with their kinds (`flowreasoner.lowering.kinds`).
        prompts: Prompt constants that the program rewrites, which are state too.
        shared: Whether variables of the state may hold the same changeable value.
        most_steps: Steps that a run of it, or of a subgraph, takes at most; loops without a bound count `unbounded`.
        nodes: Names of the steps that requests go to, by the `id` of the call in the tree.
        guarded: Of a subgraph, whether an error ends it as its result.
    """

    program: Program
    parameters: tuple[str, ...]
    defaults: Mapping[str, ast.expr]
    steps: dict[str, Step]
    variables: dict[str, str]
    prompts: tuple[str, ...]
    shared: bool
    most_steps: int
    nodes: Mapping[int, str]
    guarded: bool = False

    def collectors(self) -> dict[str, list[str]]:
        """Returns by sample the steps that collect its results: several where its call is kept in a variable."""
        found: dict[str, list[str]] = {}
        for step in self.steps.values():
            if isinstance(step.exit, Dispatch):
                for sample in step.exit.samples:
                    found.setdefault(sample, []).append(step.exit.collect)
        return found

    def returns_to(self, step: Step) -> str:
        """Returns the step that collects what a step sends, where its samples cannot tell; else an empty text."""
        if not isinstance(step.exit, Dispatch):
            return ""
        collectors = self.collectors()
        return step.exit.collect if any(len(collectors[sample]) > 1 for sample in step.exit.samples) else ""

    @property
    def entry(self) -> Step:
        """The first step."""
        return next(iter(self.steps.values()))
