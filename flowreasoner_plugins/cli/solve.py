"""``flowreasoner solve``: design a workflow for a query, run it, and answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowreasoner.errors import (
    FlowReasonerError,
    ModelRefused,
    NoAnswer,
    QueryError,
    RequestRefused,
    StoreError,
)
from flowreasoner_plugins.cli import options
from flowreasoner_plugins.cli.config import FromConfig
from flowreasoner_plugins.cli.exits import FAILED, INTERRUPTED, OK, USAGE, Failure, usage_errors
from flowreasoner_plugins.cli.inputs import QuerySource, make_model, make_sandbox, uses_pair, weaker_than_jail
from flowreasoner_plugins.cli.progress import make_progress

if TYPE_CHECKING:
    from flowreasoner.designers import Design
    from flowreasoner.query import Query
    from flowreasoner.store import Store
    from flowreasoner_plugins.manager import Plugins

__all__ = ["command"]

_NEW = -1
"""What ``--random`` without a number reads as."""


@click.command("solve", short_help="Design a workflow for a query, run it, and answer.")
@click.argument("query", required=False)
@click.option(
    "--random",
    is_flag=False,
    flag_value=_NEW,
    type=click.IntRange(min=_NEW),
    metavar="[NUMBER]",
    help="Solve a fresh query of the miniature family, which the embedded models know; a number repeats one.",
)
@click.option("--depth", type=click.IntRange(1, 4), help="Steps that a --random query asks for.")
@options.meta_agent
@options.worker
@click.option(
    "--rounds",
    cls=FromConfig,
    envvar="FLOWREASONER_ROUNDS",
    show_envvar=True,
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Designs at most.",
)
@options.evaluations
@options.check
@options.check_dir
@options.metric
@options.tests_policy
@options.data
@options.budget_usd
@options.max_calls
@options.seed
@click.option("--designer", default="flowreasoner", show_default=True, metavar="NAME", help="What designs.")
@click.option("--no-early-stop", is_flag=True, help="Make all rounds, even after a perfect one.")
@click.option(
    "--fail-under", type=click.FloatRange(0, 1), metavar="SCORE", help="End with 1 if the final score is lower."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write answer, workflow and result there.")
@click.option("--resume", is_flag=False, flag_value="last", metavar="[RUN]", help="Go on with a run, or the last one.")
@options.sandbox
@options.store
@options.as_json
@options.quiet
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Design a multi-agent workflow for QUERY, run it, read the feedback, redesign, and answer.

    QUERY is a query file (JSON or YAML), benchmark:task, or the problem itself as text. Unless you name
    models, two tiny ones that come with this package do the work; they know the miniature family of
    queries only (--random, miniature:0, …). Everything finished is stored at once: after Ctrl-C, a crash or
    a full disk, --resume goes on without asking a model twice.

    \b
    Examples:
      flowreasoner solve --random
      flowreasoner solve query.yaml --meta-agent openai:o4-mini --worker openai:gpt-4o-mini
      flowreasoner solve "Write a function is_leap(year)." --worker ollama:qwen2.5-coder
      flowreasoner solve humaneval:HumanEval/0 --data HumanEval.jsonl.gz --tests public --json
      flowreasoner solve query.yaml --check "pytest -q" --check-dir tests
      flowreasoner solve --resume

    \b
    Ends with 0 when done, 1 without any answer or below --fail-under, 2 on wrong usage, 3 when a model, the
    sandbox or the store fails or the budget ends without an answer, and 130 when interrupted.
    """
    plugins: Plugins = ctx.obj
    if given["out"] is not None:
        _make_folder(given["out"])
    store = usage_errors(lambda: _open_store(given["store"]))
    with contextlib.closing(store):
        session = usage_errors(lambda: _start_or_resume(ctx, plugins, store, given))
        result = session.finished or _run_alone(session)
        _report(result, given)
    too_low = given["fail_under"] is not None and result["score"] < given["fail_under"]
    raise SystemExit(FAILED if too_low else OK)


@dataclass
class _Session:
    """A run that is ready to start, or one that is finished already."""

    plugins: Plugins
    store: Store
    settings: dict[str, Any]
    query: Query
    run: str
    quiet: bool
    finished: dict[str, Any] | None = None


def _open_store(path: str | None) -> Store:
    from flowreasoner.store import Store, default_store_path

    return Store(path or default_store_path())


def _start_or_resume(ctx: click.Context, plugins: Plugins, store: Store, given: dict[str, Any]) -> _Session:
    """Checks everything that can be checked before a model is asked.

    Raises:
        FlowReasonerError: Whatever is wrong with the input.
    """
    if given["resume"] is not None:
        return _resume(ctx, plugins, store, given)
    if not given["query"] and given["random"] is None:
        raise QueryError("give a QUERY: a file, benchmark:task, or the problem as text; or --random, or --resume a run")
    if given["random"] == _NEW:
        given = {**given, "random": random.randrange(1_000_000)}  # noqa: S311 - any will do
    source = QuerySource.of(given)
    query = source.load(plugins)
    settings = {name: given[name] for name in _SETTINGS} | {"source": source.to_json(), "digest": query.digest()}
    session = _Session(plugins, store, settings, query, "", given["quiet"])
    _check_settings(session)
    _announce(session)
    session.run = store.start_run(query.title, settings)
    return session


_SETTINGS = (
    "meta_agent",
    "worker",
    "rounds",
    "evaluations",
    "budget_usd",
    "max_calls",
    "seed",
    "designer",
    "no_early_stop",
    "sandbox",
)
_ADJUSTABLE = {"budget_usd"}
"""Settings that a resumed run may be given anew: more money is a reason to resume."""


def _resume(ctx: click.Context, plugins: Plugins, store: Store, given: dict[str, Any]) -> _Session:
    record = store.run(given["resume"])
    settings = dict(record.settings)
    for name in (*_SETTINGS, "query"):
        source = ctx.get_parameter_source(name)
        stored = settings["source"]["text"] if name == "query" else settings[name]
        if source is click.core.ParameterSource.COMMANDLINE and given[name] not in {stored, None}:
            if name in _ADJUSTABLE:
                settings[name] = given[name]
                continue
            if name == "query" and str(Path(given[name]).resolve()) == stored:
                continue
            option = "QUERY" if name == "query" else f"--{name.replace('_', '-')}"
            raise QueryError(
                f"run {record.id} was started with {option} {stored!r}, not {given[name]!r}; "
                f"leave {option} out to resume it, or start a new run without --resume"
            )
    query = QuerySource(**settings["source"]).load(plugins)
    if query.digest() != settings["digest"]:
        raise QueryError(
            f"the query of run {record.id} has changed since ({settings['source']['text']!r}); "
            "start a new run, or restore the query"
        )
    session = _Session(plugins, store, settings, query, record.id, given["quiet"])
    richer = settings["budget_usd"] != record.settings["budget_usd"]
    if record.status == "finished" and record.result and not (richer and record.result["stopped"] == "budget"):
        click.echo(f"run {record.id} is already finished", err=True)
        session.finished = record.result
        return session
    _check_settings(session)
    return session


def _check_settings(session: _Session) -> None:
    """Makes models, sandbox and designer once, so that a mistake shows before anything is stored."""
    settings, plugins = session.settings, session.plugins
    for role in ("meta_agent", "worker"):
        _model(session, role)
    make_sandbox(plugins, settings["sandbox"])
    _designer(session)


def _announce(session: _Session) -> None:
    """Says which query was drawn, and that the models are the tiny ones."""
    if session.quiet:
        return
    source, settings = session.settings["source"], session.settings
    number, depth = source["random"], source["depth"]
    if number is not None:
        again = f"--random {number}{f' --depth {depth}' if depth else ''}"
        click.echo(f"query {number} (again with {again}): {session.query.problem}", err=True)
    if uses_pair(settings["meta_agent"], settings["worker"]):
        click.echo(
            "models: the embedded pair, two tiny language models that know this family of queries only; "
            "--meta-agent and --worker name others",
            err=True,
        )


def _model(session: _Session, role: str) -> Any:
    settings = session.settings
    need_price = settings["budget_usd"] is not None
    return make_model(session.plugins, settings[role], role, session.query, settings["seed"], need_price=need_price)


def _designer(session: _Session) -> Any:
    settings = session.settings
    factory = session.plugins.pick("designers", settings["designer"])
    return factory(
        rounds=settings["rounds"],
        evaluations=settings["evaluations"],
        early_stop=not settings["no_early_stop"],
    )


def _run_alone(session: _Session) -> dict[str, Any]:
    try:
        with session.store.claim(session.run):
            return _run(session)
    except StoreError as error:
        raise Failure.of(error) from None


def _run(session: _Session) -> dict[str, Any]:
    """Runs the design; whatever ends it early leaves the run resumable and says so."""
    store, run = session.store, session.run
    try:
        with make_progress(quiet=session.quiet) as progress:
            design = asyncio.run(_design(session, progress))
    except KeyboardInterrupt:
        _end(store, run, "interrupted")
        raise Failure(f"interrupted; {_saved(store, run)}", INTERRUPTED) from None
    except FlowReasonerError as error:
        _end(store, run, "failed")
        # Going on repeats what is stored: that helps where something outside was at fault, and more money is.
        lasting = isinstance(error, QueryError | NoAnswer | RequestRefused)
        lasting = lasting or (isinstance(error, ModelRefused) and _model(session, "worker").simulated)
        advice = "" if lasting else f". {_saved(store, run)}"
        raise Failure(f"{error}{advice}", Failure.of(error).exit_code) from None
    result = design.to_json()
    try:
        store.end_run(run, "finished", result)
    except StoreError as error:
        raise Failure.of(error) from None
    return result


async def _design(session: _Session, progress: Any) -> Design:
    from flowreasoner.api import StoreJournal, design
    from flowreasoner.budget import Budget

    models = {role: _model(session, role) for role in ("meta_agent", "worker")}
    sandbox = make_sandbox(session.plugins, session.settings["sandbox"])
    note = weaker_than_jail(session.settings["sandbox"], sandbox)
    if note and not session.quiet:
        click.echo(note, err=True)
    try:
        return await design(
            session.query,
            **models,
            designer=_designer(session),
            sandbox=sandbox,
            operators=session.plugins.operators,
            budget=Budget(calls=session.settings["max_calls"]),
            budget_usd=session.settings["budget_usd"],
            seed=session.settings["seed"],
            store=session.store,
            journal=StoreJournal(session.store, session.run),
            observers=(progress, *session.plugins.observers),
        )
    finally:
        for model in models.values():
            await model.aclose()
        await sandbox.aclose()


def _end(store: Store, run: str, status: Any) -> None:
    """Records how a run ended; a store that is full or gone is no reason to hide the first error."""
    with contextlib.suppress(StoreError):
        store.end_run(run, status)


def _saved(store: Store, run: str) -> str:
    try:
        rounds = len(store.rounds(run))
    except StoreError:
        return f"go on with: flowreasoner solve --resume {run}"
    count = "1 finished round is" if rounds == 1 else f"{rounds} finished rounds are"
    return f"{count} saved; go on with: flowreasoner solve --resume {run}"


def _report(result: dict[str, Any], given: dict[str, Any]) -> None:
    if given["as_json"]:
        click.echo(json.dumps(result))
    else:
        from flowreasoner_plugins.cli.render import print_design

        print_design(result)
    if given["out"] is not None:
        _write(result, given["out"])


def _make_folder(out: Path) -> None:
    """Makes the folder for the results, before anything is paid for."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise Failure(f"cannot write to {str(out)!r}: {error.strerror}", USAGE) from None


def _write(result: dict[str, Any], out: Path) -> None:
    """Writes answer, workflow and result to a folder."""
    name = "answer.py" if "def " in result["answer"] or "import " in result["answer"] else "answer.txt"
    from flowreasoner.workflow.printer import print_prompts

    files = {
        name: result["answer"],
        "graph.py": result["workflow"],
        "prompt.py": print_prompts(result["prompts"]),
        "design.json": json.dumps(result, indent=2, ensure_ascii=False) + "\n",
    }
    try:
        for file, text in files.items():
            (out / file).write_text(text if text.endswith("\n") or not text else text + "\n", encoding="utf-8")
    except OSError as error:
        raise Failure(f"cannot write to {str(out)!r}: {error.strerror}", USAGE) from None
    click.echo(f"wrote {', '.join(files)} to {out}", err=True)
