"""Tables of the results, in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowreasoner_plugins.bench.tables import table
from flowreasoner_training.nano.contenders import TITLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["costs_table", "interval", "letter", "results_table"]

_QUALITY = {
    "passed": ("passes all hidden tests", "{:.1%}"),
    "once": ("… in one further run", "{:.1%}"),
    "reward": ("mean reward of a round", "{:.3f}"),
    "first_reward": ("… of round 1", "{:.3f}"),
}
_COSTS = {
    "rounds": ("rounds", "{:.2f}"),
    "calls": ("operator calls per query", "{:.1f}"),
    "run_calls": ("… per run", "{:.2f}"),
    "run_asks": ("worker asked per run", "{:.2f}"),
    "worker_tokens": ("worker's tokens", "{:,.0f}"),
    "meta_tokens": ("meta-agent's tokens", "{:,.0f}"),
}


def results_table(summary: Mapping[str, Any]) -> str:
    """Returns the table of how good the contenders are."""
    rows = _rows(summary, _QUALITY, interval)
    for row, own in zip(rows, summary["contenders"].values(), strict=True):
        row.append(f"{own['without_answer']:.1%}")
    return table(["", *(title for title, _ in _QUALITY.values()), "no answer at all"], rows)


def costs_table(summary: Mapping[str, Any]) -> str:
    """Returns the table of what the contenders cost, per query."""
    rows = _rows(summary, _COSTS, lambda estimate, form: _shown(estimate["value"], form))
    return table(["", *(title for title, _ in _COSTS.values())], rows)


def _rows(
    summary: Mapping[str, Any],
    columns: Mapping[str, tuple[str, str]],
    show: Callable[[Mapping[str, Any], str], str],
) -> list[list[str]]:
    return [
        [TITLES.get(name, name), *(show(own["measures"][measure], form) for measure, (_, form) in columns.items())]
        for name, own in summary["contenders"].items()
    ]


def letter(name: str) -> str:
    """Returns a contender's short sign, e.g. ``(d)``; its name where it has none."""
    title = TITLES.get(name, name)
    return title.partition(" ")[0] if title.startswith("(") else title


def interval(estimate: Mapping[str, Any], form: str) -> str:
    """Returns a number with its interval; a dash where there is none."""
    if estimate["value"] is None:
        return "–"
    return f"{form.format(estimate['value'])} [{form.format(estimate['low'])}, {form.format(estimate['high'])}]"


def _shown(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
