"""Pictures of the results and of the training, as PNG files that read well at the width of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from flowreasoner_training.nano.contenders import TITLES
from flowreasoner_training.nano.logs import read_log

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

__all__ = ["draw_all"]

_COLORS = {
    "worker": "#b5b5b5",
    "worker-repeated": "#8c8c8c",
    "fixed": "#9db8d2",
    "fixed-repeated": "#5f87b0",
    "sft": "#e3a857",
    "grpo": "#c0392b",
    "outcome": "#7d6ba8",
}
_LEGEND = {
    "fixed": "best fixed workflow",
    "sft": "SFT",
    "grpo": "SFT + GRPO, reward per round",
    "outcome": "one reward",
}
_WIDTH, _DPI = 9.0, 150
_WINDOW = 5  # steps that a learning curve is averaged over


def draw_all(results: Mapping[str, Any], logs: Mapping[str, Sequence[Path]], folder: Path) -> dict[str, str]:
    """Draws all pictures that the results and logs allow.

    Args:
        results: What `benchmarks/miniature.py` writes.
        logs: Log files of GRPO by contender, one per training seed.
        folder: Where the pictures go.

    Returns:
        File names by kind of picture: ``contenders``, ``depth``, ``learning``.
    """
    figures = {"contenders": _contenders(results["summary"]), "depth": _by_depth(results["summary"])}
    figures["learning"] = _learning({name: [read_log(path) for path in paths] for name, paths in logs.items()})
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {}
    for name, figure in figures.items():
        if figure is not None:
            drawn[name] = f"miniature-{name}.png"
            figure.savefig(folder / drawn[name], dpi=_DPI, metadata={"Software": None})
    return drawn


def _contenders(summary: Mapping[str, Any]) -> Figure:
    """Draws bars with intervals: who passes how much, as answered and in one further run."""
    figure = Figure((_WIDTH, 0.55 * len(summary["contenders"]) + 1.3), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    names = list(summary["contenders"])
    for axes, measure, title in (
        (left, "passed", "answer passes all hidden tests"),
        (right, "once", "chosen workflow, run once more"),
    ):
        found = [summary["contenders"][name]["measures"][measure] for name in names]
        shares = [item["value"] for item in found]
        margins = [[item["value"] - item["low"] for item in found], [item["high"] - item["value"] for item in found]]
        colors = [_COLORS.get(name, "#999999") for name in names]
        axes.barh(range(len(names)), shares, xerr=margins, color=colors, height=0.72, capsize=3, ecolor="#333333")
        for place, item in enumerate(found):
            axes.text(item["high"] + 0.015, place, f"{item['value']:.0%}", va="center", fontsize=9)
        axes.set_xlim(0, 1.12)
        axes.set_xticks(np.arange(0, 1.01, 0.25), ["0", "25 %", "50 %", "75 %", "100 %"])
        _tidy(axes, title)
        axes.grid(axis="y", visible=False)
    left.set_yticks(range(len(names)), [_wrapped(TITLES.get(name, name)) for name in names], fontsize=9)
    left.invert_yaxis()
    return figure


def _by_depth(summary: Mapping[str, Any]) -> Figure | None:
    """Draws passes, calls of a run and complexity over the query's depth."""
    names = [name for name in _LEGEND if "depths" in summary["contenders"].get(name, {})]
    if not names:
        return None
    figure = Figure((_WIDTH, 3.4), layout="constrained")
    panels = figure.subplots(1, 3)
    titles = {"passed": "passes all hidden tests", "run_calls": "operator calls per run", "complexity": "complexity"}
    for axes, (measure, title) in zip(panels, titles.items(), strict=True):
        for place, name in enumerate(names):
            depths = summary["contenders"][name]["depths"]
            known = [(int(depth), at[measure]) for depth, at in depths.items() if at[measure]["value"] is not None]
            x = np.array([depth for depth, _ in known]) + 0.05 * (place - (len(names) - 1) / 2)
            y = np.array([item["value"] for _, item in known])
            margins = np.abs(np.array([[item["low"], item["high"]] for _, item in known]).T - y)
            axes.errorbar(x, y, yerr=margins, color=_COLORS[name], label=_LEGEND[name], marker="o", ms=4, capsize=2)
        axes.set_xticks(sorted(map(int, summary["depths"])))
        axes.set_xlabel("depth of the query")
        axes.set_ylim(bottom=0)
        _tidy(axes, title)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(names), frameon=False, fontsize=9)
    return figure


def _learning(logs: Mapping[str, Sequence[Sequence[Mapping[str, float]]]]) -> Figure | None:
    """Draws what rises during GRPO, a thin line per training seed and their mean."""
    found = [(name, runs) for name, runs in logs.items() if runs]
    keys = [key for key in _CURVES if any(key in record for _, runs in found for run in runs for record in run)]
    if not keys:
        return None
    figure = Figure((_WIDTH, 3.2), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(keys)))
    for axes, key in zip(panels, keys, strict=True):
        for name, runs in found:
            curves = [curve for run in runs if (curve := _curve(run, key))]
            for steps, values in curves:
                axes.plot(steps, values, color=_COLORS.get(name, "#999999"), alpha=0.35, lw=1)
            if curves:
                shared = min(len(steps) for steps, _ in curves)
                middle = np.mean([values[:shared] for _, values in curves], axis=0)
                label = _LEGEND.get(name, name)
                axes.plot(curves[0][0][:shared], middle, color=_COLORS.get(name, "#999999"), lw=2, label=label)
        axes.set_xlabel("step")
        _tidy(axes, _CURVES[key])
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=max(1, len(labels)), frameon=False, fontsize=9)
    return figure


_CURVES = {"reward": "mean reward of a round", "score": "mean feedback score", "valid": "share of valid workflows"}


def _curve(run: Sequence[Mapping[str, float]], key: str) -> tuple[list[float], list[float]] | None:
    """Returns steps and values, each the mean over the last few steps."""
    points = [(record["step"], record[key]) for record in run if key in record and np.isfinite(record[key])]
    if not points:
        return None
    values = [value for _, value in points]
    smooth = [float(np.mean(values[max(0, end - _WINDOW) : end])) for end in range(1, len(values) + 1)]
    return [step for step, _ in points], smooth


def _tidy(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e6e6", zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9)


def _wrapped(title: str) -> str:
    """Returns a title on two lines where it is long."""
    first, comma, rest = title.partition(", ")
    return f"{first},\n{rest}" if comma and len(title) > 30 else title
