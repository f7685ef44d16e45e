"""Turns what a user names on the command line into queries, workflows, models and sandboxes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import IsolationUnavailable, ModelRefused, QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowreasoner.models import ChatModel
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox
    from flowreasoner.workflow import Report
    from flowreasoner_plugins.manager import Plugins

__all__ = [
    "PROMPT_FILES",
    "QUERY_SUFFIXES",
    "QuerySource",
    "check_workflow_file",
    "make_model",
    "make_sandbox",
    "prompt_file",
    "read_source",
    "uses_pair",
    "weaker_than_jail",
]

PROMPT_FILES = ("prompt.py", "prompt_custom.py")

QUERY_SUFFIXES = {".json", ".yaml", ".yml"}
_LARGEST_FILE = 1_000_000


@dataclass(frozen=True)
class QuerySource:
    """Where a query comes from; what the store keeps to resume, since hidden tests are never stored.

    Attributes:
        text: As given: a file, ``benchmark:task``, or the problem itself.
        data: The benchmark's file.
        check: A command as feedback test.
        tests: Policy that divides the tests.
        metric: Name of a plugin's metric.
        seed: Seed of the policy ``split``.
        undivided: Leave a benchmark's tests together.
        check_dir: Folder that is copied beside the answer for the command.
        random: Number of a query of the miniature family, in the place of a text.
        depth: Steps that such a query asks for; the number decides unless given.
    """

    text: str
    data: str | None = None
    check: str | None = None
    tests: str | None = None
    metric: str | None = None
    seed: int = 0
    undivided: bool = False
    check_dir: str | None = None
    random: int | None = None
    depth: int | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any], *, undivided: bool = False) -> QuerySource:
        """Returns the source that a command's options name."""
        names = ("data", "check", "tests", "metric", "seed", "check_dir", "random", "depth")
        return cls(given["query"] or "", undivided=undivided, **{name: given[name] for name in names if name in given})

    def load(self, plugins: Plugins) -> Query:
        """Loads the query.

        Raises:
            QueryError: If it cannot be found, read or used.
        """
        query = self._find(plugins)
        if self.check:
            from flowreasoner.sandbox import Suite

            query = replace(query, feedback=Suite.command(self.check, self.check_dir or ""))
        elif self.check_dir:
            raise QueryError("--check-dir is the folder of a --check COMMAND, and there is none")
        if self.metric:
            query = replace(query, metric=plugins.pick("metrics", self.metric), feedback=None, policy="metric")
        elif self.tests:
            query = query.with_policy(self.tests, seed=self.seed)  # type: ignore[arg-type]
        elif query.feedback is None and query.hidden is not None and ":" in self.text and not self.undivided:
            query = query.with_policy("split", seed=self.seed)  # a benchmark's item comes with one set of tests
        return query

    def _find(self, plugins: Plugins) -> Query:
        from flowreasoner.query import Query
        from flowreasoner.query_file import load_query

        if self.random is not None:
            from flowreasoner.miniature import random_query

            if self.text:
                raise QueryError(f"--random makes a query of its own: leave it out, or the query {self.text!r}")
            return random_query(self.random, self.depth)
        if self.depth is not None:
            raise QueryError("--depth is for --random, and a given query has its own")
        if not self.text.strip():
            raise QueryError("the query is empty: give a file, benchmark:task, or the problem as text")
        if self._is_file and not self.data:
            return load_query(self.text, formats=plugins.test_formats)
        name, colon, task = self.text.partition(":")
        if name.strip() in plugins.benchmarks and not any(map(str.isspace, task)):
            return self._from_benchmark(plugins, name.strip(), task)
        if self.data:
            raise QueryError(f"--data {self.data!r} is a benchmark's file, but the query is no benchmark:task")
        if any(map(str.isspace, self.text.strip())):
            return Query(self.text)
        if colon and name.isidentifier() and task:
            known = ", ".join(sorted(plugins.benchmarks))
            raise QueryError(f"there is no benchmark {name!r} (in {self.text!r}); known are {known}")
        raise QueryError(
            f"{self.text!r} is no query: give a query file (.json, .yaml), benchmark:task, or a problem in words"
        )

    @property
    def _is_file(self) -> bool:
        """Tells whether the text names a query file, which a problem that mentions one does not."""
        if "\n" in self.text or Path(self.text).suffix.lower() not in QUERY_SUFFIXES:
            return False
        return " " not in self.text or os.path.isfile(self.text)  # noqa: PTH113 - quiet about names that are too long

    def _from_benchmark(self, plugins: Plugins, name: str, task: str) -> Query:
        from flowreasoner.text import did_you_mean

        queries = {
            query.id: query for query in plugins.benchmarks[name].queries(Path(self.data) if self.data else None)
        }
        for candidate in (
            task,
            f"{name}/{task}",
            *(key for key in queries if key.lower().endswith(f"/{task.lower()}")),
        ):
            if candidate in queries:
                return queries[candidate]
        hint = did_you_mean(task, queries)
        if not task:
            raise QueryError(f"give a task of {name}, one of: {', '.join(queries)}")
        shown = ", ".join(list(queries)[:12]) + (", …" if len(queries) > 12 else "")
        raise QueryError(f"{name} has no task {task!r}{hint}; it has {shown}")

    def to_json(self) -> dict[str, Any]:
        """Returns the source as the store keeps it, with absolute paths."""
        text = str(Path(self.text).resolve()) if self._is_file else self.text
        data = str(Path(self.data).resolve()) if self.data else None
        return {
            "text": text,
            "data": data,
            "check": self.check,
            "tests": self.tests,
            "metric": self.metric,
            "seed": self.seed,
            "check_dir": str(Path(self.check_dir).resolve()) if self.check_dir else None,
            "random": self.random,
            "depth": self.depth,
        }


def make_model(plugins: Plugins, uri: str, role: Any, query: Query | None, seed: int, *, need_price: bool) -> ChatModel:
    """Makes a model from its URI.

    Args:
        plugins: Where schemes come from.
        uri: The URI.
        role: What the model is for.
        query: For simulations.
        seed: Of the run.
        need_price: Whether a budget in dollars has to hold.

    Raises:
        ModelRefused: If the URI cannot be used, or the price is needed and not known.
    """
    from flowreasoner.models import ModelContext, model_from_uri

    if uri.startswith("embedded:"):
        # Their products are too small to share out; NumPy's threads, waiting, would take the cores from the sandbox.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    model = model_from_uri(uri, ModelContext(role, query, seed), plugins.chat_models)
    if need_price and getattr(model, "price", 0) is None:
        raise ModelRefused(
            f"the price of {uri} is not known, so --budget-usd cannot hold; "
            "add ?price=IN,OUT to the URI, in dollars per million tokens"
        )
    return model


def make_sandbox(plugins: Plugins, tier: str, **settings: Any) -> Sandbox:
    """Makes the sandbox of a tier.

    Args:
        plugins: Where tiers come from.
        tier: A tier's name, ``best`` for the strongest that isolates, or ``none`` for no isolation.
        settings: What its runs may use, if not the tier's defaults: ``limits``, ``profile``.

    Raises:
        QueryError: If there is no tier of that name.
        IsolationUnavailable: If this machine does not offer it, with what to do.
    """
    from flowreasoner.sandbox import TIERS

    offered = plugins.sandboxes
    if tier != "best":
        wanted = "process" if tier == "none" else tier
        if wanted not in offered:
            raise QueryError(f"there is no sandbox tier {tier!r}; there are best, none, {', '.join(offered)}")
        return offered[wanted](**settings)
    reasons = []
    for name in sorted(offered, key=lambda name: TIERS.index(name) if name in TIERS else len(TIERS)):
        try:
            sandbox = offered[name](**settings)
        except IsolationUnavailable as error:
            reasons.append(f"  {error}")
            continue
        if sandbox.isolated:
            return sandbox
    raise IsolationUnavailable(
        "there is no isolation for untrusted programs on this machine:\n"
        + "\n".join(reasons)
        + "\n--sandbox none runs programs without: they can then read your files and use your network"
    )


def weaker_than_jail(asked: str, sandbox: Sandbox) -> str:
    """Returns what to tell who asked for the best tier and did not get the strongest; else an empty text."""
    from flowreasoner.sandbox import missing

    if asked != "best" or sandbox.tier == "jail":
        return ""
    return f"sandbox: {sandbox.tier}, since the tier jail is not available: {missing('jail')}"


def check_workflow_file(path: Path, plugins: Plugins) -> Report:
    """Checks a workflow file with the prompt module beside it.

    Raises:
        QueryError: If a file cannot be read.
    """
    from flowreasoner.workflow import check

    beside = prompt_file(path)
    return check(read_source(path), read_source(beside) if beside.is_file() else None, plugins.operators)


def prompt_file(path: Path) -> Path:
    """Returns the prompt module beside a workflow file; the first of the usual names when there is none."""
    beside = [path.parent / name for name in PROMPT_FILES]
    return next((file for file in beside if file.is_file()), beside[0])


def read_source(path: Path) -> str:
    """Reads a source file; one that is absurdly large is cut, and so refused by the checker.

    Raises:
        QueryError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_FILE).decode("utf-8", errors="replace")
    except OSError as error:
        raise QueryError(f"cannot read {str(path)!r}: {error.strerror}") from None


def uses_pair(*models: str) -> bool:
    """Tells whether all models, by URI or name, are those that come with the package."""
    return all(re.fullmatch(r"embedded:(worker|meta-agent|meta-agent-sft)?(\?.*)?", model) for model in models)
