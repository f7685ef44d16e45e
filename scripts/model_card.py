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
            "Lessons, first pass: 40,000 right answers to the operators' prompts", "", 0, log=LOGS / "worker-1.jsonl"
        ),
        Stage(
            "Lessons, second pass: 55,000 more, with more plans and deeper problems", "", 1, log=LOGS / "worker-2.jsonl"
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
            "Distillation from a search over a catalogue (§4.1, Eq. 1): 1,200 design runs, 1,041 kept",
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
            "flowreasoner grpo miniature --model start --out grpo-0 --seed 0 "
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
The worker was trained in two passes by the code of this repository, as the recipe grew: 40,000 lessons of an earlier
mix, then 55,000 of the present one (with the mistakes drawn a little differently). The recipe makes one pass of 60,000.
The meta-agent was made by the recipe's stages on that worker, as they were before two changes: its teacher never
designed the plainest workflow, one call, as it took the example in its task for a design that had been tried; and
simplicity weighed 0.2 in the reward, where it weighs 1 now ([training.md](training.md)). GRPO began from the SFT model
as it is in [benchmarks/checkpoints](../benchmarks/checkpoints/README.md), rounded to eight bits, and ran on one thread.
It is the first of three seeds, chosen before any was evaluated.
The data of SFT (1,041 trajectories) had SHA-256 `e20815664aaf8e03f0573e58ad38667cd6332c3b970d233ae4d49635542f95f1`."""
LIMITS = (
    "They know the miniature family and nothing else; other queries are refused before they are asked.",
    "They err: the worker more often the more steps a query has, which is what the workflows are for.",
    "The meta-agent knows the patterns of its teacher's catalogue (one call, a plan, votes, tests with corrections, "
    "fresh attempts, reviews) and their combinations; it invents no others.",
    "What holds for them need not hold for large models: they show the method, not its results on HumanEval.",
)


def model_card() -> str:
    """Returns docs/model-card.md."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    models = (WORKER, META_AGENT)
    return render_card("the embedded pair", SUMMARY, models, LIMITS, results, DEPARTURES)


if __name__ == "__main__":
    (ROOT / "docs/model-card.md").write_text(model_card(), encoding="utf-8")
