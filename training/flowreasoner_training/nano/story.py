"""How a pair came to be, told from the folder of its training: the model card and reproduction log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowreasoner_training.nano.card import ModelFacts, Stage, render_card

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["card_of"]

_SUMMARY = """\
A worker and a meta-agent for the miniature world: a family of small programming queries, composed of one to four
steps on lists, numbers and strings."""
_LIMITS = (
    "They know the miniature family and nothing else; other queries are refused before they are asked.",
    "They err: the worker more often the more steps a query has, which is what the workflows are for.",
    "The meta-agent knows the patterns of its teacher's catalogue (one call, a plan, votes, tests with corrections, "
    "fresh attempts, reviews) and their combinations; it invents no others.",
    "What holds for them need not hold for large models: they show the method, not its results on HumanEval.",
)


def card_of(recipe: Recipe, out: Path, parameters: Mapping[str, int], results: Mapping[str, Any] | None = None) -> str:
    """Returns the model card of a finished training.

    Args:
        recipe: What was trained.
        out: Its folder.
        parameters: How many each of ``worker`` and ``meta_agent`` has.
        results: What `benchmarks/miniature.py` wrote, for the table of results.

    Raises:
        QueryError: If the folder lacks what the card is to tell of.
    """
    command = f"flowreasoner train {recipe.name} --out {out}"

    def stage(title: str, name: str, *data: Path) -> Stage:
        log = out / name / "log.jsonl"
        return Stage(title, f"{command} --until {name}", recipe.seed, data, log if log.exists() else None)

    trajectories = out / "distill" / "trajectories.jsonl"
    worker = ModelFacts(
        "Worker",
        out / "pair" / "worker",
        "Reads the prompts of the operators; writes plans, Python functions, corrections, reviews and votes.",
        parameters["worker"],
        (stage("Lessons: right answers to the operators' prompts", "worker"),),
    )
    meta_agent = ModelFacts(
        "Meta-agent",
        out / "pair" / "meta_agent",
        "Reads the task and the execution feedback; writes its reasons, and a workflow with its prompts.",
        parameters["meta_agent"],
        (
            stage("Distillation from a search over a catalogue (§4.1, Eq. 1)", "distill"),
            stage("Readings: what queries ask for, before it designs anything", "start"),
            stage("SFT (§4.1, Eq. 2)", "sft", trajectories),
            stage("GRPO with a reward per round (§4.2, Eq. 3 and 4)", "grpo"),
        ),
    )
    return render_card("the embedded pair", _SUMMARY, (worker, meta_agent), _LIMITS, results)
