"""The data card: what a set of trajectories is, what it cost, and what was rejected and why."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import flowreasoner
from flowreasoner_training.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from flowreasoner.budget import Spending
    from flowreasoner_training.distill.filters import Selection
    from flowreasoner_training.recipes.schema import Recipe
    from flowreasoner_training.trajectory import Trajectory

__all__ = ["make_card", "write_card"]


def make_card(
    recipe: Recipe,
    made: Sequence[Trajectory],
    chosen: Selection,
    rejected: Mapping[str, int],
    *,
    models: Mapping[str, str],
    total: int,
    finished: int,
    stopped: str,
    cost: Spending,
    unit: str,
    data: Path,
) -> dict[str, Any]:
    """Returns the data card as a JSON object.

    No time of day is in it: a run that was interrupted ends with the same card as one that was not.

    Args:
        recipe: What was asked for.
        made: All trajectories, also the rejected ones.
        chosen: Those that are kept, with their lengths.
        rejected: Design runs that are not kept, by reason.
        models: Teacher and worker.
        total: Design runs that were asked for.
        finished: Design runs that are finished.
        stopped: Why it ended.
        cost: What all of it cost.
        unit: What lengths count.
        data: The file of trajectories, to be hashed.
    """
    kept = chosen.kept
    settings = recipe.model_dump(mode="json", include={"queries", "worker", "rewards", "distill", "seed"})
    return {
        "recipe": recipe.name,
        "flowreasoner": flowreasoner.__version__,
        "models": dict(models),
        "simulated": any(item.simulated for item in made),
        "benchmark": recipe.queries.benchmark,
        "tests": sorted({item.tests for item in made}),
        "leaky": any(item.leaky for item in made),
        "stopped": stopped,
        "counts": {
            "asked": total,
            "finished": finished,
            "kept": len(kept),
            "queries": len({item.query for item in kept}),
            "rejected": dict(sorted(rejected.items())),
        },
        "scores": {
            "feedback": _distribution(item.score for item in made),
            "hidden": _distribution(item.hidden_score for item in made if item.hidden_score is not None),
        },
        "rounds": _counts(len(item.rounds) for item in kept),
        "reward": _rewards(kept),
        "length": {"unit": unit, "mean": _mean(chosen.lengths), "longest": max(chosen.lengths, default=0)},
        "cost": cost.to_json(),
        "settings": settings,
        "sha256": hashlib.sha256(data.read_bytes()).hexdigest(),
    }


def write_card(card: Mapping[str, Any], folder: Path) -> None:
    """Writes the card for programs and for people: ``card.json`` and ``card.md``.

    Raises:
        TrainingError: If the folder cannot be written.
    """
    write_atomically(folder / "card.json", [json.dumps(card, indent=2, ensure_ascii=False) + "\n"])
    write_atomically(folder / "card.md", [_markdown(card)])


def _markdown(card: Mapping[str, Any]) -> str:
    counts, cost, length = card["counts"], card["cost"], card["length"]
    tests = ", ".join(card["tests"]) + (" (leaky: the tests that score also steered)" if card["leaky"] else "")
    simulated = " One of them is simulated: this is no data of a language model." if card["simulated"] else ""
    unpriced = f", and {cost['unpriced_calls']} calls of unknown price" if cost["unpriced_calls"] else ""
    lines = [
        f"# Trajectories of {card['recipe']}",
        "",
        f"Design runs on the benchmark {card['benchmark']}, distilled for supervised fine-tuning. Teacher "
        f"`{card['models']['teacher']}`, worker `{card['models']['worker']}`.{simulated} Feedback tests: {tests}.",
        "",
        f"- {counts['kept']} trajectories kept, on {counts['queries']} queries; {counts['finished']} of "
        f"{counts['asked']} design runs finished ({card['stopped']}).",
        f"- Cost: ${cost['usd']:.2f}{unpriced}; {cost['model_calls']} model calls, "
        f"{cost['input_tokens'] + cost['output_tokens']} tokens, {cost['calls']} operator calls.",
        f"- Length in {length['unit']}: {length['mean']:.0f} on average, {length['longest']} at most.",
        f"- SHA-256 of `trajectories.jsonl`: `{card['sha256']}`.",
        "",
        *_table("rejected because of", "design runs", counts["rejected"]),
        *_table("feedback score of the best round, all runs", "design runs", card["scores"]["feedback"]["counts"]),
        *_table("share of hidden tests passed, all runs", "design runs", card["scores"]["hidden"]["counts"]),
        *_table("rounds", "trajectories", card["rounds"]),
        *_table("reward term, mean over kept rounds", "value", card["reward"]),
        "## Settings",
        "",
        "```json",
        json.dumps(card["settings"], indent=2, ensure_ascii=False),
        "```",
        "",
        f"Made with flowreasoner {card['flowreasoner']}.",
    ]
    return "\n".join(lines) + "\n"


def _table(name: str, value: str, rows: Mapping[str, Any]) -> list[str]:
    shown = [
        f"| {key} | {item:.3f} |" if isinstance(item, float) else f"| {key} | {item} |" for key, item in rows.items()
    ]
    return [f"| {name} | {value} |", "|---|---|", *(shown or ["| – | 0 |"]), ""]


def _distribution(scores: Iterable[float]) -> dict[str, Any]:
    """Returns mean and histogram of scores in [0, 1]: tenths, with the perfect ones by themselves."""
    values = list(scores)
    names = [f"{low / 10:.1f}–{(low + 1) / 10:.1f}" for low in range(10)]
    found = Counter("1" if value >= 1 else names[int(value * 10)] for value in values)
    return {"mean": _mean(values), "counts": {name: found[name] for name in [*names, "1"] if found[name]}}


def _counts(values: Iterable[int]) -> dict[str, int]:
    return {str(value): count for value, count in sorted(Counter(values).items())}


def _rewards(kept: Sequence[Trajectory]) -> dict[str, float]:
    """Returns each term's mean over all rounds in which it could be scored, and the mean reward."""
    rounds = [item for trajectory in kept for item in trajectory.rounds]
    terms: dict[str, list[float]] = {}
    for item in rounds:
        for name, value in item.terms.items():
            if value is not None:
                terms.setdefault(name, []).append(value)
    means = {name: _mean(values) for name, values in sorted(terms.items())}
    return {**means, "reward": _mean([item.reward for item in rounds])} if rounds else {}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
