"""Scores one batch of rollouts whose replies are given, alone or as one of several processes: ``... MODEL OUT``."""

import json
import os
import random
import sys
from pathlib import Path

from fake_sandbox import FakeSandbox
from grpo_runs import plugins, queries, recipe

from flowreasoner.models import FunctionModel

QUERIES, GROUP = 3, 4  # 1 1 1 1 2 2 | 2 2 3 3 3 3 with two processes
SETTINGS = {"group_size": GROUP, "queries_per_step": QUERIES, "rounds": 3, "excluded_rounds": 1, "micro_batch": 6}


def replies(trainer, first):
    """Stands in for sampling, which differs between processes: a row's reply depends on row and round alone."""
    rounds = iter(range(SETTINGS["rounds"]))

    def sample(prompts, *_, **__):
        number = next(rounds)
        draws = [random.Random(f"{first + place}/{number}") for place in range(len(prompts))]
        texts = ["".join(draw.choices("aeioubcdfg", k=6)) for draw in draws]
        return [trainer.processing_class.encode(text) for text in texts], None

    return sample


def score(model, out):
    """Has the trainer score this process's rows, and returns what it made of each, and what it noted."""
    from flowreasoner_training.grpo.background import BackgroundLoop
    from flowreasoner_training.grpo.queries import QueryRows
    from flowreasoner_training.grpo.train import make_trainer

    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    known, worker, asked = plugins(), FunctionModel(lambda _: ""), recipe(**SETTINGS, beta=0.0)
    rows = QueryRows(asked, queries(), lambda _: worker, FakeSandbox(), known.operators, known.reward_terms)
    share = QUERIES * GROUP // world
    with BackgroundLoop() as loop:
        trainer = make_trainer(asked, Path(model), rows, Path(out), loop, ())
        assert trainer.accelerator.num_processes == world
        trainer.model.train()
        trainer._generate_single_turn = replies(trainer, rank * share)
        every = [dict(trainer.train_dataset[index]) for index in range(QUERIES) for _ in range(GROUP)]
        mine = every[rank * share : (rank + 1) * share]
        tokens = trainer._generate_and_score_completions(mine)["advantages"].tolist()
    noted = {name: values[-1] for name, values in trainer._metrics["train"].items() if "/" in name or "adv" in name}
    return {"made": [_made(row, line) for row, line in zip(mine, tokens, strict=True)], "noted": noted}


def _made(row, tokens):
    advantages = [tokens[row["round_ids"].index(index)] for index in range(len(row["steps"]))]
    rewards, valid = ([getattr(step, name) for step in row["steps"]] for name in ("reward", "valid"))
    return {"rewards": rewards, "valid": valid, "advantages": advantages}


if __name__ == "__main__":
    model, out = map(Path, sys.argv[1:3])
    made = score(model, out)
    (out / f"rank-{os.environ['RANK']}.json").write_text(json.dumps(made))
