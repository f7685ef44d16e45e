"""``flowreasoner grade``: one candidate program against a query's tests."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import tokenize
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowreasoner.errors import FlowReasonerError, QueryError
from flowreasoner_plugins.cli import options
from flowreasoner_plugins.cli.exits import FAILED, INTERRUPTED, OK, Failure, usage_errors
from flowreasoner_plugins.cli.inputs import QuerySource, make_sandbox, weaker_than_jail
from flowreasoner_plugins.cli.wording import clock, printable

if TYPE_CHECKING:
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox, Suite, Verdict
    from flowreasoner_plugins.manager import Plugins

__all__ = ["command"]

_MARKS = {"pass": "ok  ", "skipped": "skip"}


@click.command("grade", short_help="Grade one candidate program by a query's tests.")
@click.argument("code", metavar="CODE", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--query", required=True, metavar="QUERY", help="Query file, or benchmark:task.")
@options.check
@options.check_dir
@options.data
@options.sandbox
@options.as_json
@click.pass_obj
def command(plugins: Plugins, /, **given: Any) -> None:
    """Grade the program in the file CODE, or on standard input as `-`, by all tests of a query.

    Feedback and hidden tests count alike. Ends with 0 if it passes, 1 if not, 2 on wrong usage, 3 when the
    sandbox fails.

    \b
    Examples:
      flowreasoner grade solution.py --query query.yaml
      flowreasoner grade solution.py --query demo:spiral-walk --json
      flowreasoner grade - --query humaneval:HumanEval/0 --data HumanEval.jsonl.gz < solution.py
    """
    code, query = usage_errors(lambda: (_read(given["code"]), _load(plugins, given)))
    sandbox = usage_errors(lambda: make_sandbox(plugins, given["sandbox"]))
    note = weaker_than_jail(given["sandbox"], sandbox)
    if note:
        click.echo(note, err=True)
    try:
        verdict = asyncio.run(_grade(code, query, sandbox))
    except KeyboardInterrupt:
        raise Failure("interrupted", INTERRUPTED) from None
    except FlowReasonerError as error:
        raise Failure.of(error) from None
    click.echo(json.dumps(verdict.to_json()) if given["as_json"] else _shown(verdict, isolated=sandbox.isolated))
    raise SystemExit(OK if verdict.passed else FAILED)


def _read(path: Path) -> str:
    """Returns a program's text, in the encoding that it declares as Python's programs do."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        text = io.TextIOWrapper(io.BytesIO(data), tokenize.detect_encoding(io.BytesIO(data).readline)[0]).read()
    except OSError as error:
        raise QueryError(f"cannot read {str(path)!r}: {error.strerror}") from None
    except (UnicodeDecodeError, SyntaxError) as error:
        raise QueryError(f"cannot read {str(path)!r}: it is no text in UTF-8, nor declares another encoding") from error
    if text.lstrip().startswith("```"):
        raise QueryError(f"{str(path)!r} is Markdown; give the code alone, without the fences around it")
    return text


def _load(plugins: Plugins, given: dict[str, Any]) -> Query:
    query = QuerySource.of(given, undivided=True).load(plugins)
    if query.feedback is None and query.hidden is None:
        raise QueryError(f"query {query.id!r} has no tests to grade by; give tests, or --check COMMAND")
    return query


async def _grade(code: str, query: Query, sandbox: Sandbox) -> Verdict:
    """Grades by both sets of tests; where there are two, their tests are told apart by a prefix."""
    suites: dict[str, Suite] = {
        name: suite for name, suite in (("feedback", query.feedback), ("hidden", query.hidden)) if suite is not None
    }
    try:
        verdicts = {name: await sandbox.grade(code, suite) for name, suite in suites.items()}
    finally:
        await sandbox.aclose()
    first, *others = verdicts.values()
    if not others:
        return first
    (second,) = others
    tests = [replace(test, id=f"{name}/{test.id}") for name, verdict in verdicts.items() for test in verdict.tests]
    cpu = (
        None
        if None in (first.usage.cpu_s, second.usage.cpu_s)
        else (first.usage.cpu_s or 0) + (second.usage.cpu_s or 0)
    )
    return replace(
        first if first.status != "ok" else second,
        tests=tuple(tests),
        output=first.output + second.output,
        usage=replace(first.usage, wall_s=first.usage.wall_s + second.usage.wall_s, cpu_s=cpu),
    )


def _shown(verdict: Verdict, *, isolated: bool) -> str:
    lines = []
    for test in verdict.tests:
        mark = _MARKS.get(test.outcome, "FAIL")
        outcome = "" if test.outcome in {"pass", "fail"} else f" ({test.outcome.replace('_', ' ')})"
        lines.append(f"{mark} {test.id}{outcome}: {test.source}")
        lines += [f"     {line}" for line in test.detail.splitlines()]
    if verdict.output.strip():
        lines += ["the program printed:", *(f"     {line}" for line in verdict.output.strip().splitlines()[-20:])]
    passed = sum(test.outcome == "pass" for test in verdict.tests)
    ended = "" if verdict.status == "ok" else f", the run ended as {verdict.status}"
    lines.append(f"{passed} of {len(verdict.tests)} tests passed{ended}, {clock(verdict.usage.wall_s)}")
    tier = verdict.tier if isolated else f"{verdict.tier}, which is no isolation"
    return printable("\n".join([*lines, f"sandbox: {tier}"]))
