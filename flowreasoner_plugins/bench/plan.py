"""What a bench is to do: which designers try which queries, with which workers."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import QueryError
from flowreasoner_plugins.benchmarks.verify import missing_libraries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowreasoner.query import Query
    from flowreasoner_plugins.manager import Plugins

__all__ = ["Cell", "Settings", "data_of", "plan"]


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
        fit_on: Benchmark that methods are fitted on; None takes each benchmark's own.
        fit_first: Only so many of its queries, the first ones; None takes all.
        fit_seeds: Times that each method is fitted, from the beginning and with another seed.
        small: Whether models are as small as the embedded ones, and must be asked as in their training.
        methods: Settings of methods, by their names.
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
    fit_on: str | None = None
    fit_first: int | None = None
    fit_seeds: int = 1
    small: bool = False
    methods: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


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
        fit_on: Name of the benchmark that methods are fitted on, if any is.
        training: Its queries; none of them is tried.
    """

    benchmark: str
    worker: str
    queries: tuple[Query, ...]
    not_run: Mapping[str, str]
    fingerprint: str
    sandbox: Mapping[str, Any] = field(default_factory=dict)
    fit_on: str = ""
    training: tuple[Query, ...] = ()

    @property
    def slug(self) -> str:
        """Short name of the cell that is fit for a file."""
        return re.sub(r"[^A-Za-z0-9.]+", "-", f"{self.benchmark}-{self.worker}").strip("-.")[:80]


def plan(
    plugins: Plugins,
    benchmarks: Sequence[str],
    workers: Sequence[str],
    data: Mapping[str, Path],
    settings: Settings,
    *,
    fits: bool = False,
) -> list[Cell]:
    """Loads all queries, and returns the cells.

    Args:
        plugins: Where benchmarks come from.
        benchmarks: Their names.
        workers: URIs.
        data: File or folder by benchmark, where one is given; ``""`` is for all others.
        settings: What is the same for all.
        fits: Whether there is a method to be fitted.

    Raises:
        PluginError: If there is no benchmark of a name.
        QueryError: If data cannot be read, or no query of a benchmark can be tried; or if it is not known what to fit
            on, or that would be what is tried.
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
        fit_on, training = _training(plugins, name, there, data, settings) if fits else ("", ())
        cells += [
            Cell(name, worker, there, not_run, _fingerprint(every), needs, fit_on, training)
            for worker in dict.fromkeys(workers)
        ]
    if len({cell.slug for cell in cells}) < len(cells):
        raise QueryError("two workers look the same in a file's name; give them other options, or run them apart")
    return cells


def _training(
    plugins: Plugins, name: str, tried: Sequence[Query], data: Mapping[str, Path], settings: Settings
) -> tuple[str, tuple[Query, ...]]:
    """Returns what methods are fitted on before they try a benchmark: its name, and its queries.

    A query keeps the feedback tests that it states; otherwise all of its tests steer, as none of them is to score.
    """
    fit_on = settings.fit_on or getattr(plugins.pick("benchmarks", name), "training", "")
    if not fit_on:
        raise QueryError(f"it is not known what to fit on before {name} is tried; name a benchmark with --fit-on")
    path = data.get(fit_on, data.get("" if settings.fit_on else name, data.get("")))
    every = islice(plugins.pick("benchmarks", fit_on).queries(path), settings.fit_first)
    known = [query for query in every if not missing_libraries(query)]
    training = tuple(query.with_policy("all") if _undivided(query) else query for query in known)
    if not training:
        raise QueryError(f"no query of {fit_on} can be fitted on here; name another benchmark with --fit-on")
    ids, problems = {query.id for query in tried}, {query.problem for query in tried}
    twice = next((query.id for query in training if query.id in ids or query.problem in problems), None)
    if twice is not None:
        apart = f"{name}-test"
        remedy = f"try {apart}" if apart in plugins.benchmarks and apart != name else "name another with --fit-on"
        raise QueryError(f"{twice!r} of {fit_on} would be fitted on, and tried as part of {name}; {remedy}")
    return fit_on, training


def _undivided(query: Query) -> bool:
    """Whether all of a query's tests are hidden; one that is scored by a metric has none."""
    return query.feedback is None and query.hidden is not None


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
