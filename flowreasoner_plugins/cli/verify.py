"""``flowreasoner verify``: a benchmark's own solutions, or recorded answers, through the sandbox."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowreasoner.errors import FlowReasonerError, QueryError
from flowreasoner_plugins.cli import options
from flowreasoner_plugins.cli.exits import FAILED, INTERRUPTED, OK, USAGE, Failure, usage_errors
from flowreasoner_plugins.cli.inputs import make_sandbox, weaker_than_jail
from flowreasoner_plugins.cli.wording import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from flowreasoner.sandbox import Sandbox
    from flowreasoner_plugins.benchmarks.answers import Answer
    from flowreasoner_plugins.benchmarks.verify import Judged, Verification
    from flowreasoner_plugins.manager import Plugins

__all__ = ["command"]

_SHOWN = 20


@click.command("verify", short_help="Prove that a benchmark's answers are scored right here.")
@click.argument("benchmark", metavar="BENCHMARK")
@options.data
@click.option(
    "--answers",
    default="canonical",
    metavar="FILE",
    help="Answers, JSON lines or CSV; the benchmark's own solutions unless given.",
)
@click.option("--as-they-are", is_flag=True, help="Do not take programs out of code fences and prose.")
@click.option("--first", type=click.IntRange(min=1), metavar="N", help="Only the first N answers.")
@click.option("--verdicts", type=click.Path(path_type=Path), metavar="FILE", help="Write every verdict, JSON lines.")
@options.sandbox
@options.as_json
@options.quiet
@click.pass_obj
def command(plugins: Plugins, /, **given: Any) -> None:
    """Run answers to BENCHMARK through the sandbox, and report who passes.

    Without --answers, these are the benchmark's own solutions: all should pass, and if one does not, the harness
    is wrong, or the solution. Rows of a file name their task by `task_id` or by `question`, have the answer as
    `prediction` or `solution`, and may have a `score`, which the verdict is compared with.

    Ends with 0 if all is as it should be: every solution passes, or every verdict agrees with what was recorded;
    with 1 if not, 2 on wrong usage, 3 when the sandbox fails.

    \b
    Examples:
      flowreasoner verify humaneval
      flowreasoner verify mbpp --data sanitized-mbpp.json --json
      flowreasoner verify mbpp --data sanitized-mbpp.json --answers predictions.csv --verdicts verdicts.jsonl
    """
    answers = usage_errors(lambda: _answers(plugins, given))
    sandbox = usage_errors(lambda: _sandbox(plugins, given))
    note = weaker_than_jail(given["sandbox"], sandbox)
    if note:
        click.echo(note, err=True)
    try:
        result = asyncio.run(_verify(given, answers, sandbox))
    except KeyboardInterrupt:
        raise Failure("interrupted", INTERRUPTED) from None
    except FlowReasonerError as error:
        raise Failure.of(error) from None
    if given["verdicts"] is not None:
        _write(given["verdicts"], result)
    click.echo(json.dumps(result.to_json()) if given["as_json"] else _shown(result))
    wrong = result.disagreeing if result.compared else result.failed
    raise SystemExit(FAILED if wrong or not result.judged else OK)


def _answers(plugins: Plugins, given: dict[str, Any]) -> list[Answer]:
    from flowreasoner_plugins.benchmarks.answers import canonical_answers, recorded_answers

    benchmark = plugins.pick("benchmarks", given["benchmark"])
    queries = list(benchmark.queries(Path(given["data"]) if given["data"] else None))
    if given["answers"] == "canonical":
        lacking = [query.id for query in queries if not query.reference]
        if lacking:
            raise QueryError(f"{benchmark.name} has no solution of its own for {lacking[0]!r}; give --answers FILE")
        answers = canonical_answers(queries)
    else:
        answers = recorded_answers(Path(given["answers"]), queries, unwrap=not given["as_they_are"])
    return answers[: given["first"]]


def _sandbox(plugins: Plugins, given: dict[str, Any]) -> Sandbox:
    settings = getattr(plugins.benchmarks[given["benchmark"]], "sandbox", {})
    return make_sandbox(plugins, given["sandbox"], **settings)


async def _verify(given: dict[str, Any], answers: list[Answer], sandbox: Sandbox) -> Verification:
    from flowreasoner_plugins.benchmarks.verify import verify

    try:
        if given["quiet"] or given["as_json"]:
            return await verify(given["benchmark"], answers, sandbox)
        with _progress(len(answers)) as report:
            return await verify(given["benchmark"], answers, sandbox, report=report)
    finally:
        await sandbox.aclose()


class _progress:  # noqa: N801 - used as a function
    """Shows how many answers are judged, and how many of them pass."""

    def __init__(self, count: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("judging", total=count)
        self._passed = 0

    def __enter__(self) -> Callable[[Judged], None]:
        self._bar.start()
        return self._report

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _report(self, item: Judged) -> None:
        self._passed += item.verdict.passed
        self._bar.update(self._task, advance=1, description=f"{self._passed} pass")


def _write(path: Path, result: Verification) -> None:
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(item.to_json()) + "\n" for item in result.judged)
    except OSError as error:
        raise Failure(f"cannot write {str(path)!r}: {error.strerror}", USAGE) from None


def _shown(result: Verification) -> str:
    count = len(result.judged)
    lines = [f"{result.benchmark}: {result.passed} of {count} answers pass all tests (sandbox: {result.tier})"]
    if result.not_run:
        needed = ", ".join(f"{name} ({number})" for name, number in result.missing.most_common(8))
        lines.append(f"{len(result.not_run)} more cannot be judged here, as libraries are missing: {needed}")
    if result.compared:
        agree = len(result.compared) - len(result.disagreeing)
        share = agree / len(result.compared)
        lines.append(f"{agree} of {len(result.compared)} verdicts agree with what was recorded ({share:.2%})")
        lines += _list(result.disagreeing, lambda item: "recorded as right" if item.answer.recorded else "as wrong")
    else:
        lines += _list(result.failed, lambda item: f"passes {item.verdict.pass_rate:.0%} of its tests")
    return "\n".join(lines)


def _list(items: list[Judged], told: Callable[[Judged], str]) -> list[str]:
    lines = []
    for item in items[:_SHOWN]:
        failing = next((test for test in item.verdict.tests if test.outcome != "pass"), None)
        detail = "" if failing is None else f": {one_line(failing.detail or failing.outcome)[:100]}"
        lines.append(printable(f"  {item.answer.id} {told(item)}{detail}"))
    if len(items) > _SHOWN:
        lines.append(f"  and {len(items) - _SHOWN} more; --verdicts FILE writes them all")
    return lines
