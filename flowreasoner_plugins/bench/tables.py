"""A bench's results as tables: in Markdown, and for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowreasoner_plugins.cli.wording import clock, model_name, one_line, price

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.table import Table

__all__ = ["heading", "markdown", "pairs", "results", "table", "terminal"]

_MOST_NAMED = 5


def results(cell: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Returns head and rows of the designers of a cell, the best first."""
    most = f"pass@{cell['attempts']}"
    several = [most] if cell["attempts"] > 1 else []
    leaky = any(own["leaky"] for own in cell["designers"].values())
    head = ["designer", "pass@1", *several, "hidden tests", "misled", "no answer", "rounds", "calls", "tokens"]
    head += ["USD", "time", *(["leaky"] if leaky else [])]
    rows = []
    for name, own in sorted(cell["designers"].items(), key=lambda item: -item[1]["pass@1"]["value"]):
        per = own["per_query"]
        rows.append(
            [
                name,
                _interval(own["pass@1"]),
                *(f"{own[kind]['value']:.1%}" for kind in several),
                f"{own['hidden']['value']:.1%}",
                f"{own['misled']:.1%}",
                f"{own['without_answer']:.1%}",
                f"{per['rounds']:.1f}",
                f"{per['model_calls']:.1f}",
                f"{per['worker_tokens'] + per['meta_tokens']:,.0f}",
                price(per["usd"], own["unpriced_calls"]),
                clock(per["seconds"]),
                *([f"{own['leaky']:.0%}"] if leaky else []),
            ]
        )
    return head, rows


def pairs(cell: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Returns head and rows of the comparisons, each with the better designer first."""
    head = ["comparison", "pass@1, difference", "p", "queries solved more often"]
    rows = []
    for pair in cell["pairs"]:
        turned = pair["value"] < 0
        first, second = (pair["second"], pair["first"]) if turned else (pair["first"], pair["second"])
        numbers = {key: pair[key] for key in ("value", "low", "high")}
        if turned:
            numbers = {"value": -pair["value"], "low": -pair["high"], "high": -pair["low"]}
        counts = [pair["only_first"], pair["only_second"]]
        more, less = reversed(counts) if turned else counts
        shown = _interval(numbers, "{:+.1%}")
        rows.append([f"{first} − {second}", shown, f"{pair['p']:.4f}", f"{more} against {less}"])
    return head, rows


def heading(cell: Mapping[str, Any]) -> list[str]:
    """Returns what there is to say of a cell before its tables, a sentence each."""
    told = []
    if cell["simulated"]:
        told.append(
            f"SIMULATION: {' and '.join(name.replace('_', '-') for name in cell['simulated'])} simulated; "
            "the figures say nothing of any model."
        )
    attempts = f"{cell['attempts']} attempt{'s' * (cell['attempts'] != 1)} each"
    told.append(f"{cell['queries']} queries, {attempts}; costs are per query.")
    reasons: dict[str, list[str]] = {}
    for query, why in cell["not_run"].items():
        reasons.setdefault(why.replace(repr(query), "the query"), []).append(query)
    for why, queries in reasons.items():
        named = ", ".join(queries[:_MOST_NAMED]) + (", …" if len(queries) > _MOST_NAMED else "")
        told.append(f"Not tried, and not counted: {len(queries)} ({named}), as {one_line(why)}.")
    if any(own["leaky"] for own in cell["designers"].values()):
        told.append("LEAKY: the tests that score also steered, so that these figures are too good.")
    return told


def markdown(summary: Mapping[str, Any]) -> str:
    """Returns the whole bench as a Markdown page."""
    parts = [f"```sh\n{summary['command']}\n```\n"]
    for cell in summary["cells"]:
        parts.append(f"## {cell['benchmark']}, worker `{model_name(cell['worker'])}`\n")
        parts.append("\n\n".join(_strong(told) for told in heading(cell)) + "\n")
        parts += [table(*results(cell)), *([table(*pairs(cell))] if cell["pairs"] else [])]
    return "\n".join([*parts, _NOTES])


_NOTES = """\
pass@1: share of the answers that pass all hidden tests, the unbiased estimate. Misled: answers that pass the feedback
tests and fail hidden ones; they count as wrong. Calls and tokens: of worker and meta-agent together. p: two-sided, by a
sign-flip test over queries. Intervals: 95 %, by a bootstrap over queries.
"""


_NARROW = ("designer", "pass@1", "calls", "tokens", "USD", "time")


def terminal(cell: Mapping[str, Any]) -> Table:
    """Returns the most important columns for a terminal of 80 characters, what is leaky in red."""
    from rich.table import Table

    head, rows = results(cell)
    made = Table(title=f"{cell['benchmark']}, worker {model_name(cell['worker'])}")
    for name in _NARROW:
        made.add_column(name, justify="left" if name == "designer" else "right")
    for row in rows:
        shown = dict(zip(head, row, strict=True))
        made.add_row(*(shown[name] for name in _NARROW), style="red" if cell["designers"][row[0]]["leaky"] else None)
    return made


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a Markdown table; all columns but the first are set to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in escaped) + "\n"


def _strong(told: str) -> str:
    return f"**{told}**" if told.startswith(("LEAKY", "SIMULATION")) else told


def _interval(estimate: Mapping[str, Any], form: str = "{:.1%}") -> str:
    value, low, high = (form.format(round(estimate[key], 4) + 0.0) for key in ("value", "low", "high"))  # no -0
    return f"{value} [{low}, {high}]"
