"""Writes docs/model-card.md from the shipped pair, its training logs and its evaluation.

Run it after any of them changes: ``python scripts/model_card.py``. A test compares, so that a pair that is shipped
without its card, or with that of another, is noticed.
"""

from __future__ import annotations

import json
from pathlib import Path

from flowreasoner_training.nano.card import ModelFacts, Stage, render_card

ROOT = Path(__file__).parents[1]
PAIR = ROOT / "core/flowreasoner/models/embedded/pair"
LOGS = ROOT / "benchmarks/results/pair"
RESULTS = ROOT / "benchmarks/results/miniature.json"
TRAIN = "flowreasoner train miniature --out runs/miniature --until {}"

WORKER = ModelFacts(
    "Worker",
    PAIR / "worker",
    "Reads the prompts of the operators; writes plans, Python functions, corrections, reviews and votes.",
    2_066_112,
    (
        Stage(
            "Lessons: 60,000 right answers to the operators' prompts",
            TRAIN.format("worker"),
            0,
            log=LOGS / "worker.jsonl",
        ),
    ),
)
META_AGENT = ModelFacts(
    "Meta-agent",
    PAIR / "meta_agent",
    "Reads the task and the execution feedback; writes its reasons, and a workflow with its prompts.",
    1_000_576,
    (
        Stage(
            "Distillation from a search over a catalogue (§4.1, Eq. 1): 1,200 design runs, 965 kept",
            TRAIN.format("distill"),
            0,
        ),
        Stage(
            "Readings: what 25,000 queries ask for, before it designs anything",
            TRAIN.format("start"),
            0,
            log=LOGS / "readings.jsonl",
        ),
        Stage("SFT (§4.1, Eq. 2)", TRAIN.format("sft"), 0, log=LOGS / "sft.jsonl"),
        Stage(
            "GRPO with a reward per round (§4.2, Eq. 3 and 4)",
            "flowreasoner grpo miniature --model runs/miniature/sft/model --out grpo-0 --seed 0 "
            "--worker embedded:core/flowreasoner/models/embedded/pair/worker",
            0,
            log=LOGS / "grpo-0.jsonl",
        ),
    ),
)
SUMMARY = """\
A worker and a meta-agent for the miniature world: a family of small programming queries, composed of one to four
steps on lists, numbers and strings. They show FlowReasoner at work without a key, a GPU or a download, and are the
default of `flowreasoner solve`."""
DEPARTURES = """\
The stages of the recipe, one after the other, in three sessions; GRPO on one thread, beside another training, where the
recipe has two. It is the first of three seeds ([benchmarks/checkpoints](../benchmarks/checkpoints/README.md)), chosen
before any was evaluated. The meta-agent after SFT ships, too, as `embedded:meta-agent-sft`.
The data of SFT (965 trajectories) had SHA-256 `de243ba4916b43abedc12af4282eba1ff5e1bf2eb5274d6ed8b983c878e8862b`."""
LIMITS = (
    "They know the miniature family and nothing else; other queries are refused before they are asked.",
    "They err: the worker more often the more steps a query has, which is what the workflows are for.",
    "The meta-agent knows the patterns of its teacher's catalogue (one call, a plan, votes, tests with corrections, "
    "fresh attempts, reviews) and their combinations; it invents no others.",
    "The meta-agent was trained on designs of three rounds: later ones it writes worse, and often not as a workflow.",
    "What holds for them need not hold for large models: they show the method, not its results on HumanEval.",
)


def model_card() -> str:
    """Returns docs/model-card.md."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    models = (WORKER, META_AGENT)
    return render_card("the embedded pair", SUMMARY, models, LIMITS, results, DEPARTURES)


if __name__ == "__main__":
    (ROOT / "docs/model-card.md").write_text(model_card(), encoding="utf-8")
