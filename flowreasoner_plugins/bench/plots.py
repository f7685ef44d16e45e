"""The picture of a bench: how many queries a designer solves, against what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from flowreasoner_plugins.cli.wording import model_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes

__all__ = ["draw"]

_COLORS = (
    *("#4878a8", "#c0392b", "#5a9a68", "#e3a857", "#7d6ba8", "#8c8c8c"),
    *("#2b8a8a", "#b5651d", "#d46a9f", "#9aa631", "#1f3a5f", "#6b2737"),
)
_WIDTH, _HEIGHT, _DPI = 5.6, 4.0, 150


def draw(summary: Mapping[str, Any], path: Path) -> None:
    """Draws a panel for each cell: pass@1 with its interval over dollars, or over tokens where nothing has a price.

    Args:
        summary: What the bench came to.
        path: The PNG file.

    Raises:
        OSError: If it cannot be written.
    """
    cells = summary["cells"]
    columns = min(2, len(cells))
    rows = -(-len(cells) // columns)
    figure = Figure((_WIDTH * columns, _HEIGHT * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    names = list(dict.fromkeys(name for cell in cells for name in cell["designers"]))
    for cell, axes in zip(cells, panels, strict=False):
        _panel(axes, cell, names)
    for axes in panels[len(cells) :]:
        axes.set_visible(False)
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})


def _panel(axes: Axes, cell: Mapping[str, Any], names: list[str]) -> None:
    dollars = all(own["per_query"]["usd"] > 0 for own in cell["designers"].values())
    for name, own in cell["designers"].items():
        per, share = own["per_query"], own["pass@1"]
        cost = per["usd"] if dollars else per["worker_tokens"] + per["meta_tokens"]
        margins = [[share["value"] - share["low"]], [share["high"] - share["value"]]]
        color = _COLORS[names.index(name) % len(_COLORS)]
        axes.errorbar([cost], [share["value"]], yerr=margins, fmt="o", color=color, capsize=3, label=name)
    axes.set_xscale("log")
    axes.margins(x=0.12)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:.2g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(f"{'US dollars' if dollars else 'tokens'} per query (log scale)")
    axes.set_ylabel("pass@1 on the hidden tests")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    marks = ["SIMULATION"] * bool(cell["simulated"])
    marks += ["LEAKY"] * any(own["leaky"] for own in cell["designers"].values())
    title = f"{cell['benchmark']}, worker {model_name(cell['worker'])}"
    axes.set_title(
        f"{', '.join(marks)}: {title}" if marks else title, fontsize=10, color="darkred" if marks else "black"
    )
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(fontsize=8, frameon=False, loc="best")
