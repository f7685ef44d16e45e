"""A bench's results as tables: in Markdown, and for a terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flowreasoner.text import shorten
from flowreasoner_plugins.cli.wording import clock, model_name, one_line, price

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.table import Table

__all__ = ["dearer", "fittings", "heading", "markdown", "not_ahead", "pairs", "results", "table", "terminal"]

_MOST_NAMED, _LONGEST_FACT = 5, 100


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


def fittings(cell: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Returns head and rows of what fitting cost, a row for each method and seed."""
    head = ["fitted", "seed", "calls", "tokens", "USD", "time", "came to"]
    rows = [
        [
            name,
            str(own["seed"]),
            f"{own['model_calls']:,}",
            f"{own['tokens']:,}",
            price(own["usd"], own["unpriced_calls"]),
            clock(own["seconds"]),
            ", ".join(f"{key.replace('_', ' ')} {_fact(value)}" for key, value in own["facts"].items() if _told(value)),
        ]
        for name, fitted in cell.get("fitting", {}).items()
        for own in fitted
    ]
    return head, rows


def not_ahead(cell: Mapping[str, Any], name: str = "flowreasoner") -> str:
    """Returns a sentence on the designers that one of them is not ahead of; empty if it did not take part.

    It is ahead where its pass@1 is higher, and the difference's interval leaves 0 out.
    """
    better, alike = [], []
    for pair in cell["pairs"]:
        if name not in (pair["first"], pair["second"]):
            continue
        turned = pair["second"] == name
        other = pair["first"] if turned else pair["second"]
        low, high = (-pair["high"], -pair["low"]) if turned else (pair["low"], pair["high"])
        shown = f"{other} ({round(-pair['value'] if turned else pair['value'], 4) + 0.0:+.1%})"  # no -0
        if high < 0:
            better.append(shown)
        elif low <= 0:
            alike.append(shown)
    if not (better or alike):
        return f"{name} is ahead of all others." if any(name in pair.values() for pair in cell["pairs"]) else ""
    parts = [f"behind {', '.join(better)}"] * bool(better)
    parts += [f"not told apart from {', '.join(alike)}"] * bool(alike)
    return f"{name} is not ahead everywhere: it is {', and '.join(parts)}."


def dearer(cell: Mapping[str, Any], name: str = "flowreasoner") -> str:
    """Returns a sentence on what one designer costs beside the best of the others; empty if it did not take part."""
    designers = cell["designers"]
    others = [other for other in designers if other != name]
    if name not in designers or not others:
        return ""
    best = max(others, key=lambda other: designers[other]["pass@1"]["value"])
    own, its = (
        designers[item]["per_query"]["worker_tokens"] + designers[item]["per_query"]["meta_tokens"]
        for item in (name, best)
    )
    return f"{name} takes {own:,.0f} tokens a query; {best}, the best of the others, takes {its:,.0f}."


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
    told += cell.get("notes", [])
    if cell.get("fitting"):
        where, count = cell["fitted_on"]
        times = max(map(len, cell["fitting"].values()))
        often = "once" if times == 1 else f"{times} times, with different seeds,"
        told.append(
            f"{', '.join(cell['fitting'])}: fitted {often} on {count} queries of {where}; none of them is tried."
        )
    told += [note for note in [not_ahead(cell), dearer(cell)] if note]
    if any(own["leaky"] for own in cell["designers"].values()):
        told.append("LEAKY: the tests that score also steered, so that these figures are too good.")
    return told


def markdown(summary: Mapping[str, Any]) -> str:
    """Returns the whole bench as a Markdown page."""
    parts = [f"```sh\n{summary['command']}\n```\n"]
    if "stands_for" in summary:
        parts.append(f"That stands for:\n\n```sh\n{summary['stands_for']}\n```\n")
    for cell in summary["cells"]:
        parts.append(f"## {cell['benchmark']}, worker `{model_name(cell['worker'])}`\n")
        parts.append("\n\n".join(_strong(told) for told in heading(cell)) + "\n")
        parts.append(table(*results(cell)))
        if cell.get("fitting"):
            parts += ["### Fitting\n", table(*fittings(cell))]
        parts += [table(*pairs(cell))] * bool(cell["pairs"])
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
    escaped = [[_escaped(cell) for cell in row] for row in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in escaped) + "\n"


def _told(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _fact(value: Any) -> str:
    """Returns a fact; some are in a model's words."""
    return shorten(one_line(f"{value:.3g}" if isinstance(value, float) else str(value)), _LONGEST_FACT)


def _escaped(text: str) -> str:
    """Returns text that stays in its cell, and is neither HTML nor a link or picture there."""
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text).replace("|", r"\|").replace("](", r"]\(")


def _strong(told: str) -> str:
    return f"**{told}**" if told.startswith(("LEAKY", "SIMULATION")) else told


def _interval(estimate: Mapping[str, Any], form: str = "{:.1%}") -> str:
    value, low, high = (form.format(round(estimate[key], 4) + 0.0) for key in ("value", "low", "high"))  # no -0
    return f"{value} [{low}, {high}]"
