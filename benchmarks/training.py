"""One GRPO step with a reward per round against TRL's own trainer on the same tokens; rollouts; how the cost grows.

A Llama of random weights makes rollouts once, against a worker that answers at once. Then both trainers take the
very same rollouts through a whole step (scoring, loss, gradient, optimizer), alternating in one process, on one
thread. The rest is measured with rollouts that are really made.

    python benchmarks/training.py [--repeats 9] [--json] [--save benchmarks/results/training.json]

Exits with 1 if the median step takes more than 1.05 times TRL's.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is loaded
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import trl

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from fake_sandbox import FakeSandbox
from grpo_runs import plugins, queries, recipe
from tiny_model import tiny_model

from flowreasoner.models import FunctionModel
from flowreasoner_training.grpo.background import BackgroundLoop
from flowreasoner_training.grpo.queries import QueryRows
from flowreasoner_training.grpo.train import make_trainer
from flowreasoner_training.grpo.trainer import RoundGRPOTrainer, mean_reward
from flowreasoner_training.noise import less_noise

TARGET = 1.05
WIDTH = 192
SIZES = ((1, 5), (2, 5), (4, 5), (2, 10))
"""Rounds and group sizes that the cost is measured at."""


@contextmanager
def our_trainer(model: Path, rounds: int, group: int) -> Iterator[tuple[RoundGRPOTrainer, list[dict[str, Any]]]]:
    """Gives the trainer as a recipe makes it, with a batch of rows: each of two queries as often as its group needs."""
    asked = recipe(
        rounds=rounds, group_size=group, micro_batch=2 * group, round_tokens=32, max_tokens=4000, excluded_rounds=0
    )
    known, worker = plugins(), FunctionModel(lambda _: "def f(x): return x")
    rows = QueryRows(asked, queries(), lambda _: worker, FakeSandbox(), known.operators, known.reward_terms)
    with BackgroundLoop() as loop, tempfile.TemporaryDirectory() as out:
        trainer = make_trainer(asked, model, rows, Path(out), loop, ())
        yield prepared(trainer), [dict(trainer.train_dataset[index]) for index in (0, 1) for _ in range(group)]


def trls_trainer(ours: RoundGRPOTrainer, model: Path) -> trl.GRPOTrainer:
    """Returns TRL's own trainer with the same settings."""
    made = trl.GRPOTrainer(
        model=str(model),
        reward_funcs=mean_reward,
        args=ours.args,
        train_dataset=ours.train_dataset,
        processing_class=ours.processing_class,
        rollout_func=lambda *_: {},
    )
    return prepared(made)


def prepared(trainer: Any) -> Any:
    """Makes a trainer ready for single steps."""
    trainer.create_optimizer_and_scheduler(1_000)
    trainer.current_gradient_accumulation_steps = 1
    trainer.model.train()
    return trainer


def step(trainer: Any, rows: list[dict[str, Any]]) -> float:
    """Makes a whole step and returns its seconds."""
    start = time.perf_counter()
    trainer.training_step(trainer.model, [dict(row) for row in rows], None)
    trainer._get_grad_norm(trainer.model, grad_norm=trainer._clip_grad_norm(trainer.model))
    trainer.optimizer.step()
    trainer.optimizer.zero_grad()
    return time.perf_counter() - start


def tell(line: str) -> None:
    """Shows progress."""
    print(line, file=sys.stderr, flush=True)


def replay(made: dict[str, Any]) -> Any:
    """Returns a ``rollout_func`` that gives the same rollouts again."""
    return lambda *_: {name: None if value is None else list(value) for name, value in made.items()}


def compare(model: Path, repeats: int) -> dict[str, Any]:
    """Measures steps of both trainers on the same rollouts, alternating; which one begins alternates, too."""
    with our_trainer(model, rounds=3, group=5) as (ours, rows):
        ours.rollout_rows = rows
        made = ours.rollout_func([row["prompt"] for row in rows], ours)
        theirs = trls_trainer(ours, model)
        ours.rollout_func = theirs.rollout_func = replay(made)
        times: dict[str, list[float]] = {"rounds": [], "trl": []}
        both = [("rounds", ours), ("trl", theirs)]
        for number in range(repeats + 1):
            for name, trainer in both if number % 2 else both[::-1]:
                taken = step(trainer, rows)
                times[name] += [taken] if number else []  # the first warms up
            tell(f"step {number}/{repeats}: {taken:.2f} s")
    medians = {name: statistics.median(values) for name, values in times.items()}
    tokens = sum(len(ids) for name in ("prompt_ids", "completion_ids") for ids in made[name])
    return {
        "trajectories": len(rows),
        "tokens": tokens,
        "rounds_s": medians["rounds"],
        "trl_s": medians["trl"],
        "ratio": medians["rounds"] / medians["trl"],
        "seconds": times,
    }


def cost(model: Path, rounds: int, group: int, repeats: int) -> dict[str, Any]:
    """Measures rollouts that are really made, and the rest of the step, for a number of rounds and a group size."""
    with our_trainer(model, rounds, group) as (trainer, rows):
        real, made, rollouts = trainer.rollout_func, {}, []

        def timed(prompts: list[Any], given: Any) -> dict[str, Any]:
            start = time.perf_counter()
            made.update(real(prompts, given))
            rollouts.append(time.perf_counter() - start)
            return dict(made)

        trainer.rollout_func = timed
        whole = [step(trainer, rows) for _ in range(repeats + 1)]
    tell(f"{rounds} rounds, groups of {group}: {whole[-1]:.2f} s a step")
    written = sum(sum(mask) for mask in made["env_mask"])
    rollout = statistics.median(rollouts[1:])
    update = statistics.median(total - part for total, part in zip(whole[1:], rollouts[1:], strict=True))
    return {
        "rounds": rounds,
        "group_size": group,
        "trajectories": len(rows),
        "written_tokens": written,
        "tokens": sum(len(ids) for name in ("prompt_ids", "completion_ids") for ids in made[name]),
        "rollout_s": rollout,
        "update_s": update,
        "rollout_tokens_per_s": written / rollout,
    }


def machine() -> str:
    """Returns a line on what the figures were measured on."""
    return (
        f"{os.cpu_count()} CPU cores ({platform.machine()}), load {os.getloadavg()[0]:.1f} at the end, one thread; "
        f"Python {platform.python_version()}, torch {torch.__version__}, trl {trl.__version__}"
    )


def show(result: dict[str, Any]) -> None:
    """Prints the tables."""
    step_ = result["step"]
    print(f"{result['machine']}\n{result['parameters'] / 1e6:.1f} million parameters\n")
    print(f"one step, {step_['trajectories']} trajectories of {step_['tokens']:,} tokens together, median:")
    print(f"  {step_['rounds_s']:.3f} s with a reward per round, {step_['trl_s']:.3f} s in TRL's own trainer")
    print(f"  ratio {step_['ratio']:.3f} (target at most {TARGET:.2f})\n")
    print("rounds  group  trajectories  written  tokens  rollout     update      written tokens/s")
    for row in result["cost"]:
        print(
            f"{row['rounds']:6} {row['group_size']:6} {row['trajectories']:13} {row['written_tokens']:8} "
            f"{row['tokens']:7} {row['rollout_s']:7.2f} s   {row['update_s']:7.2f} s   "
            f"{row['rollout_tokens_per_s']:16,.0f}"
        )


def main() -> int:
    """Measures, prints, and compares with the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9, help="steps of each trainer (default 9)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write it to a file, too")
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, less_noise():
        model = tiny_model(folder, hidden=WIDTH)
        found = compare(model, given.repeats)
        costs = [cost(model, rounds, group, max(1, given.repeats // 3)) for rounds, group in SIZES]
        parameters = trl_parameters(model)
    result = {"machine": machine(), "parameters": parameters, "step": found, "cost": costs, "target": TARGET}
    if given.save:
        given.save.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if given.json:
        print(json.dumps(result))
    else:
        show(result)
    return int(found["ratio"] > TARGET)


def trl_parameters(model: Path) -> int:
    """Returns the number of a checkpoint's weights."""
    from transformers import AutoModelForCausalLM

    return int(AutoModelForCausalLM.from_pretrained(model).num_parameters())


if __name__ == "__main__":
    raise SystemExit(main())
