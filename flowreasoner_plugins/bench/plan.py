"""What a bench is to do: which designers try which queries, with which workers."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.comparison import Contender
from flowreasoner.designers import FixedWorkflow
from flowreasoner.errors import QueryError
from flowreasoner_plugins.benchmarks.verify import missing_libraries
from flowreasoner_plugins.cli.inputs import check_workflow_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flowreasoner.comparison import ModelFor
    from flowreasoner.designers import Designer
    from flowreasoner.query import Query
    from flowreasoner_plugins.manager import Plugins

__all__ = ["Cell", "Settings", "contenders_of", "data_of", "plan"]


@dataclass(frozen=True)
class Settings:
    """What is the same for the whole bench.

    Attributes:
        meta_agent: URI of the model that designs workflows.
        rounds: Designs per query at most.
        evaluations: Runs of each design.
        early_stop: Stop at the first perfect round.
        tests: Policy that divides each benchmark's tests; None keeps a benchmark's own division, else splits.
        split_seed: Decides the share of ``split``.
        first: Only so many queries of each benchmark, the first ones; None takes all.
        max_calls: Operator calls that one run of a workflow may make.
        seeds: Attempts of each designer at each query.
    """

    meta_agent: str
    rounds: int = 10
    evaluations: int = 3
    early_stop: bool = True
    tests: str | None = None
    split_seed: int = 0
    first: int | None = None
    max_calls: int = 64
    seeds: int = 1


@dataclass(frozen=True)
class Cell:
    """One benchmark with one worker: all designers meet there under equal conditions.

    Attributes:
        benchmark: Its name.
        worker: URI of the worker.
        queries: What is tried.
        not_run: Queries that cannot be tried or judged here, and why.
        fingerprint: Hash of the whole benchmark, to recognise it on resume.
        sandbox: What the benchmark's tests need of a sandbox, if not the defaults.
    """

    benchmark: str
    worker: str
    queries: tuple[Query, ...]
    not_run: Mapping[str, str]
    fingerprint: str
    sandbox: Mapping[str, Any] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """Short name of the cell that is fit for a file."""
        return re.sub(r"[^A-Za-z0-9.]+", "-", f"{self.benchmark}-{self.worker}").strip("-.")[:80]


def plan(
    plugins: Plugins, benchmarks: Sequence[str], workers: Sequence[str], data: Mapping[str, Path], settings: Settings
) -> list[Cell]:
    """Loads all queries, and returns the cells.

    Args:
        plugins: Where benchmarks come from.
        benchmarks: Their names.
        workers: URIs.
        data: File or folder by benchmark, where one is given; ``""`` is for all others.
        settings: What is the same for all.

    Raises:
        PluginError: If there is no benchmark of a name.
        QueryError: If data cannot be read, or no query of a benchmark can be tried.
    """
    cells = []
    for name in dict.fromkeys(benchmarks):
        benchmark = plugins.pick("benchmarks", name)
        every = list(benchmark.queries(data.get(name, data.get(""))))
        divided = [(query.id, _divided(query, settings)) for query in every[: settings.first]]
        there = tuple(query for _, query in divided if not isinstance(query, str))
        not_run = {query: why for query, why in divided if isinstance(why, str)}
        if not there:
            raise QueryError(f"no query of {name} can be tried here: {next(iter(not_run.values()), 'it is empty')}")
        needs = getattr(benchmark, "sandbox", {})
        cells += [Cell(name, worker, there, not_run, _fingerprint(every), needs) for worker in dict.fromkeys(workers)]
    if len({cell.slug for cell in cells}) < len(cells):
        raise QueryError("two workers look the same in a file's name; give them other options, or run them apart")
    return cells


def _divided(query: Query, settings: Settings) -> Query | str:
    """Returns the query with its tests divided, or why it cannot be tried."""
    lacking = missing_libraries(query)
    if lacking:
        return f"it needs {', '.join(lacking)}"
    if settings.tests is None and query.feedback is not None and query.hidden is not None:
        return query
    try:
        return query.with_policy(settings.tests or "split", seed=settings.split_seed)  # type: ignore[arg-type]
    except QueryError as error:
        return str(error)


def _fingerprint(queries: Sequence[Query]) -> str:
    parts = [
        [query.digest(), [case.source for case in query.hidden.cases] if query.hidden else []] for query in queries
    ]
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def data_of(given: Sequence[str], plugins: Plugins) -> dict[str, Path]:
    """Reads ``NAME=PATH`` and ``PATH``.

    Raises:
        QueryError: If two are for the same benchmark.
    """
    found: dict[str, Path] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not (equals and name in plugins.benchmarks):
            name, path = "", text
        if name in found:
            raise QueryError(f"--data is given twice for {name or 'all benchmarks'}: {found[name]} and {path}")
        found[name] = Path(path)
    return found


def contenders_of(
    names: Sequence[str], plugins: Plugins, settings: Settings, meta_agent: Callable[[], ModelFor]
) -> list[Contender]:
    """Returns the designers as contenders, each with a mark of all that its outcomes depend on.

    Args:
        names: Names of plugins' designers, and files that hold a workflow.
        plugins: Where designers come from.
        settings: What is the same for all.
        meta_agent: Makes the source of the meta-agent, where a designer asks one.

    Raises:
        PluginError: If there is no designer of a name.
        QueryError: If a file cannot be read, holds no correct workflow, or two have the same name.
        ModelRefused: If the meta-agent cannot be used.
    """
    made: dict[str, Contender] = {}
    for given in names:
        name = Path(given).stem if given.endswith(".py") else given
        if name in made:
            raise QueryError(f"two designers are called {name!r}; rename a file, or leave one out")
        designer = _from_file(Path(given), name, plugins) if given.endswith(".py") else _named(given, plugins, settings)
        asks = not isinstance(designer, FixedWorkflow)
        parts = [repr(designer), settings.meta_agent] if asks else [_text(designer)]
        mark = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]
        made[name] = Contender(name, designer, meta_agent() if asks else None, mark, run_again=False)
    return list(made.values())


def _named(name: str, plugins: Plugins, settings: Settings) -> Designer:
    factory = plugins.pick("designers", name)
    designer: Designer = factory(
        rounds=settings.rounds, evaluations=settings.evaluations, early_stop=settings.early_stop
    )
    return designer


def _from_file(path: Path, name: str, plugins: Plugins) -> Designer:
    report = check_workflow_file(path, plugins)
    if report.workflow is None:
        raise QueryError(f"{path} holds no workflow that can run; `flowreasoner check {path}` says why")
    return FixedWorkflow(report.workflow, name=name)


def _text(designer: Any) -> str:
    return f"{designer.workflow.source}\n{designer.workflow.prompt_source}\n{designer.rounds} {designer.evaluations}"
