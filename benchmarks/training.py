"""One GRPO step with a reward per round against TRL's own GRPOTrainer, on the same tokens; and what a step costs.

Rollouts are sampled once and replayed to both trainers, in the same process, one after the other in turn: scoring,
reference, loss, backward pass and optimizer step are timed, in seconds of the CPU, which other jobs on the machine
disturb less. Prints the ratio of the medians, the tokens per second that rollouts sample, and how time grows with
rounds and group size. The model is random and small, on one thread; the worker answers at once, so that times are the
trainer's own.

    python benchmarks/training.py [--repeats 7] [--hidden 64] [--json] [--save]

Exits with 1 if the ratio is over 1.05.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: spinning threads ruin a shared machine
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import torch
from datasets import Dataset
from fake_sandbox import FakeSandbox
from grpo_runs import plugins, queries, recipe
from tiny_model import tiny_model
from transformers.utils import logging
from trl import GRPOTrainer

from flowreasoner.models import FunctionModel
from flowreasoner_training.grpo.background import BackgroundLoop
from flowreasoner_training.grpo.config import grpo_config
from flowreasoner_training.grpo.queries import QueryRows
from flowreasoner_training.grpo.train import make_trainer
from flowreasoner_training.grpo.trainer import mean_reward

TARGET = 1.05
RESULTS = Path(__file__).parent / "results" / "training.json"
SIZES = {"rounds": 3, "excluded_rounds": 1, "group_size": 4, "queries_per_step": 2, "micro_batch": 4}


def settings(**changed: Any) -> Any:
    """Returns a recipe of small steps."""
    return recipe(**{**SIZES, "round_tokens": 32, "max_tokens": 4000, "beta": 0.05, **changed})


def ours(model: Path, out: Path, asked: Any, loop: BackgroundLoop) -> Any:
    """Returns the trainer with a reward per round."""
    known, worker = plugins(), FunctionModel(lambda _: "def f(x): return x")
    rows = QueryRows(asked, queries(), lambda _: worker, FakeSandbox(), known.operators, known.reward_terms)
    return prepared(make_trainer(asked, model, rows, out, loop, ()))


def theirs(model: Path, out: Path, asked: Any, like: Any, replay: Callable[..., Any]) -> Any:
    """Returns TRL's own trainer with the same settings, which replays rollouts."""
    trainer = GRPOTrainer(
        model=str(model),
        reward_funcs=mean_reward,
        args=grpo_config(asked, out, 1),
        train_dataset=Dataset.from_list([dict(row) for row in like.train_dataset]),
        processing_class=like.processing_class,
        rollout_func=replay,
    )
    return prepared(trainer)


def prepared(trainer: Any) -> Any:
    """Returns a trainer that is ready for single steps."""
    trainer.create_optimizer_and_scheduler(1)
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = trainer.args.gradient_accumulation_steps
    return trainer


def batch(trainer: Any, asked: Any) -> list[dict[str, Any]]:
    """Returns the rows of a step: each query as often as a group is large."""
    of = range(asked.grpo.queries_per_step)
    return [dict(trainer.train_dataset[index]) for index in of for _ in range(asked.grpo.group_size)]


def step(trainer: Any, rows: list[dict[str, Any]]) -> float:
    """Makes an optimizer step as the training loop does, and returns its CPU seconds."""
    start = time.process_time()
    for _ in range(trainer.args.gradient_accumulation_steps):
        trainer.training_step(trainer.model, rows, None)
    trainer._get_grad_norm(trainer.model, grad_norm=trainer._clip_grad_norm(trainer.model))
    trainer.optimizer.step()
    trainer.model.zero_grad()
    return time.process_time() - start


def compare(model: Path, folder: Path, repeats: int) -> dict[str, Any]:
    """Times both trainers in turn on the same rollouts."""
    asked = settings()
    with BackgroundLoop() as loop:
        our = ours(model, folder / "ours", asked, loop)
        our.rollout_rows = rows = batch(our, asked)
        made = our.rollout_func([row["prompt"] for row in rows], our)

    def replay(*_: Any) -> dict[str, Any]:
        return {name: value for name, value in made.items() if value is not None} | {"logprobs": None}

    our.rollout_func = replay
    their = theirs(model, folder / "theirs", asked, our, replay)
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for turn in range(repeats + 1):
        order = [("ours", our), ("theirs", their)]
        for name, trainer in order if turn % 2 else order[::-1]:
            seconds = step(trainer, batch(our, asked))
            if turn:  # the first turn warms up
                times[name].append(seconds)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    tokens = sum(map(len, made["prompt_ids"])) + sum(map(len, made["completion_ids"]))
    return {
        "ours_s": medians["ours"],
        "trl_s": medians["theirs"],
        "ratio": medians["ours"] / medians["theirs"],
        "trajectories": len(rows),
        "tokens": tokens,
        "repeats": repeats,
    }


def cost(model: Path, folder: Path, **changed: Any) -> dict[str, Any]:
    """Times the rollouts and the update of a step of other sizes; the less of two."""
    asked = settings(**changed)
    with BackgroundLoop() as loop:
        trainer = ours(model, folder / "-".join(map(str, changed.values())), asked, loop)
        rolled, updated, sampled = [], [], 0
        for _ in range(2):
            trainer.rollout_rows = rows = batch(trainer, asked)
            start = time.process_time()
            real = trainer.rollout_func
            made = real([row["prompt"] for row in rows], trainer)
            rolled.append(time.process_time() - start)
            trainer.rollout_func = lambda *_, made=made: made
            updated.append(step(trainer, batch(trainer, asked)))
            trainer.rollout_func = real
            sampled = sum(map(sum, made["env_mask"]))
    sizes = {"rounds": asked.grpo.rounds, "group": asked.grpo.group_size}
    return {**sizes, "sampled_tokens": sampled, "rollout_s": min(rolled), "update_s": min(updated)}


def shown(results: dict[str, Any]) -> str:
    """Returns the results as a table."""
    step_ = results["step"]
    lines = [
        f"one step on {step_['trajectories']} trajectories, {step_['tokens']} tokens: "
        f"reward per round {step_['ours_s']:.3f} s, TRL {step_['trl_s']:.3f} s, ratio {step_['ratio']:.3f} "
        f"(CPU time, median of {step_['repeats']}; target {TARGET})",
        "",
        f"{'rounds':>6} {'group':>6} {'sampled':>8} {'rollout':>9} {'update':>9} {'tokens/s':>9}",
    ]
    lines += [
        f"{row['rounds']:6} {row['group']:6} {row['sampled_tokens']:8} {row['rollout_s']:8.2f}s "
        f"{row['update_s']:8.2f}s {row['sampled_tokens'] / row['rollout_s']:9.0f}"
        for row in results["cost"]
    ]
    return "\n".join(lines)


def main() -> int:
    """Runs the benchmark and prints its tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7, help="steps of each trainer (default 7)")
    parser.add_argument("--hidden", type=int, default=64, help="width of the model (default 64)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--save", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = tiny_model(folder / "model", hidden=options.hidden)
        results: dict[str, Any] = {"step": compare(model, folder, options.repeats)}
        grown = [{"rounds": 1, "excluded_rounds": 0}, {"rounds": 2}, {"rounds": 4}]
        grown += [{"group_size": 2, "micro_batch": 2}, {"group_size": 8}]
        results["cost"] = [cost(model, folder, **changed) for changed in grown]
    results |= {"hidden": options.hidden, "torch": torch.__version__, "threads": torch.get_num_threads()}
    if options.save:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results) if options.json else shown(results))
    return results["step"]["ratio"] > TARGET


if __name__ == "__main__":
    raise SystemExit(main())
