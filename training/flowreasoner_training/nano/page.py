"""The page of results, made from the results file alone, so that it cannot say anything else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flowreasoner_plugins.bench.tables import table
from flowreasoner_training.nano.contenders import TITLES
from flowreasoner_training.nano.tables import costs_table, interval, letter, results_table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["render_page"]

_HEAD = """\
# The paper in miniature: results

This page is made from [`{file}`](../{file}) by `{command}`; a test compares. Nothing on it is written by hand.

Every contender tried the same {queries} held-out queries of the miniature world, {seeds} times each with draws of
its own, with the same worker, sandbox and limits. FlowReasoner had at most {rounds} rounds of {evaluations} runs per
query{stopped}; a contender that is trained is tried with {checkpoints} checkpoints from
different training seeds. Brackets are 95 % intervals of a bootstrap over queries, and over training seeds where there
are several.
"""

_WORDS = {"passed": "passes all hidden tests", "once": "one further run passes", "reward": "mean reward"}

_READING = """\
*One further run*: the chosen workflow is run once more with new draws, so that the share owes nothing to picking the
best of several answers by the feedback tests. (a') and (b') have that choice, too: they are run again and again until a
round is perfect, as often as FlowReasoner may. The reward is that of training (§4.2).
"""


def render_page(results: Mapping[str, Any], file: str = "benchmarks/results/miniature.json") -> str:
    """Returns docs/miniature.md.

    Args:
        results: What `benchmarks/miniature.py` wrote.
        file: Where it is in the repository.
    """
    summary, settings = results["summary"], results["settings"]
    counts = [len(own["checkpoints"]) for own in summary["contenders"].values()]
    head = _HEAD.format(
        file=file,
        command="python scripts/generate.py",
        queries=summary["queries"],
        seeds=summary["seeds"],
        rounds=settings["rounds"],
        evaluations=settings["evaluations"],
        stopped=" and stopped at the first perfect round" if settings["early_stop"] else ", and made them all",
        checkpoints=max(counts),
    )
    parts = [head, "## Who passes how much\n", results_table(summary), _picture(results, "contenders"), _READING]
    parts += ["## What it costs\n", "Means per query; tokens are those read and written.\n", costs_table(summary)]
    parts += ["## Differences\n", _differences(summary), "\n## By training seed\n", _checkpoints(results)]
    if summary["depths"]:
        parts += ["\n## Workflows follow the query's depth\n", _adaptation(summary), _picture(results, "depth")]
    if _picture(results, "learning"):
        parts += ["\n## Learning\n", _picture(results, "learning")]
    parts += ["\n## The fixed workflow\n", _candidates(results), "\n## How it was made\n", _making(results)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(part for part in parts if part))


def _differences(summary: Mapping[str, Any]) -> str:
    rows = []
    for item in summary["differences"]:
        form = "{:+.3f}" if item["measure"] == "reward" else "{:+.1%}"
        pair = f"{letter(item['first'])} − {letter(item['second'])}"
        chance = "< 0.001" if item["p"] < 0.001 else f"{item['p']:.3f}"
        rows.append([pair, _WORDS[item["measure"]], interval(item, form), _verdict(item), chance])
    paired = (
        "Paired over queries. Told apart are those whose interval leaves zero out; it draws training seeds, too.\n"
        "p is that of a sign-flip test on the queries' differences alone.\n"
    )
    return "\n".join([_chain(summary), paired, table(["", "in", "difference", "", "p"], rows)])


def _chain(summary: Mapping[str, Any]) -> str:
    """Returns which links of (d) > (c) > (b) > (a), the paper's Table 2 in shape, hold in hidden tests passed."""
    said: dict[str, list[str]] = {"better": [], "not told apart": [], "worse": []}
    for item in summary["differences"]:
        if item["measure"] == "passed" and (item["first"], item["second"]) in _CHAIN:
            said[_verdict(item)].append(f"{letter(item['first'])} > {letter(item['second'])}")
    words = {"better": "it holds that", "not told apart": "it is not shown that", "worse": "it is contradicted that"}
    found = [f"{words[verdict]} {' and '.join(links)}" for verdict, links in said.items() if links]
    return f"Of the order (d) > (c) > (b) > (a), {'; '.join(found)}.\n" if found else ""


_CHAIN = {("grpo", "sft"), ("sft", "fixed"), ("fixed", "worker")}


def _verdict(item: Mapping[str, Any]) -> str:
    if item["low"] > 0:
        return "better"
    return "worse" if item["high"] < 0 else "not told apart"


def _checkpoints(results: Mapping[str, Any]) -> str:
    rows = [
        [letter(name), f"`{label}`", *(f"{means[measure]:.1%}" for measure in ("passed", "once"))]
        for name, own in results["summary"]["contenders"].items()
        for label, means in own["checkpoints"].items()
        if label
    ]
    return table(["", "checkpoint", _WORDS["passed"], _WORDS["once"]], rows)


def _adaptation(summary: Mapping[str, Any]) -> str:
    """Returns per contender and depth: passes, calls of a run, complexity; and how they change per step of depth."""
    parts = []
    for name in ("fixed", "sft", "grpo", "outcome"):
        own = summary["contenders"].get(name, {})
        if "depths" not in own:
            continue
        rows = [
            [depth, *(interval(at[measure], form) for measure, form in _DEPTH_FORMS.items()), _shapes(at["workflows"])]
            for depth, at in own["depths"].items()
        ]
        slopes = [interval(own["slopes"][measure], form.replace(":", ":+")) for measure, form in _DEPTH_FORMS.items()]
        rows.append(["per step", *slopes, ""])
        measures = ["rounds", "operator calls per run", "worker asked per run", "complexity"]
        head = ["depth", _WORDS["passed"], *measures, "commonest workflow"]
        parts.append(f"{TITLES[name]}:\n\n{table(head, rows)}")
    return "\n".join([_DEPTH_NOTE, *parts])


_DEPTH_NOTE = """\
Complexity is that of the chosen workflow's syntax tree, so that it rises only if another workflow is chosen. Calls may
rise for a fixed workflow, too, where it tries again after a failing test.
"""

_DEPTH_FORMS = {
    "passed": "{:.1%}",
    "rounds": "{:.2f}",
    "run_calls": "{:.2f}",
    "run_asks": "{:.2f}",
    "complexity": "{:.2f}",
}


def _shapes(workflows: Mapping[str, float]) -> str:
    return "; ".join(f"{shape} ({share:.0%})" for shape, share in list(workflows.items())[:1])


def _candidates(results: Mapping[str, Any]) -> str:
    chosen = results["chosen"]
    rows = [
        [f"**{name}**" if name == chosen else name, f"{own['passed']:.1%}", f"{own['calls']:.2f}"]
        for name, own in results["candidates"].items()
    ]
    count = results["settings"]["validation"]
    told = f"The best of these on {count} training queries, each run once on each, is (b): `{chosen}`.\n"
    return told + "\n" + table(["workflow", "passes all hidden tests", "calls"], rows)


def _making(results: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    rows = [[f"`{name}`", f"`{value}`"] for name, value in results["settings"].items()]
    hashes = [[f"`{name}`", f"`{value[:16]}`"] for name, value in results["weights"].items()]
    parts = [f"```sh\n{results['command']}\n```\n", f"{versions}.\n", table(["setting", "value"], rows)]
    return "\n".join([*parts, *([table(["weights", "SHA-256, first 16 digits"], hashes)] if hashes else [])])


def _picture(results: Mapping[str, Any], name: str) -> str:
    target = results.get("pictures", {}).get(name, "")
    return f"![{_CAPTIONS[name]}]({target})\n" if target else ""


_CAPTIONS = {
    "contenders": "Share of held-out queries that pass, per contender",
    "depth": "Passes, calls per run and complexity by depth",
    "learning": "Reward and passes during GRPO",
}
