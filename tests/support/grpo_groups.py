"""Scores one group of trajectories, of which each process holds a share, and prints this process's advantages.

``python grpo_groups.py MODEL OUT``, once per process, with torch's usual variables (RANK, WORLD_SIZE, ...) set.
"""

import json
import os
import sys
from pathlib import Path

from fake_sandbox import FakeSandbox
from grpo_runs import plugins, queries, recipe

from flowreasoner.models import FunctionModel

GROUP = 6


def replies(trainer, prompts):
    """Writes, for each trajectory of the whole batch, something of its own; ends some of them, cuts the others."""
    first = trainer.accelerator.process_index * len(prompts)
    rounds = trainer.made = getattr(trainer, "made", 0) + 1
    texts = ["aeiou"[: (place * rounds) % 5] + "xyz" for place in range(first, first + len(prompts))]
    return [trainer.processing_class(text, add_special_tokens=False)["input_ids"] for text in texts], None


def advantages(model, out):
    """Returns, for each trajectory of this process, the advantage of each of its tokens."""
    from flowreasoner_training.grpo.background import BackgroundLoop
    from flowreasoner_training.grpo.queries import QueryRows
    from flowreasoner_training.grpo.train import make_trainer

    count = int(os.environ.get("WORLD_SIZE", "1"))
    asked = recipe(group_size=GROUP, queries_per_step=1, micro_batch=GROUP // count, rounds=3, beta=0.0)
    known, worker = plugins(), FunctionModel(lambda _: "")
    rows = QueryRows(asked, queries(), lambda _: worker, FakeSandbox(), known.operators, known.reward_terms)
    with BackgroundLoop() as loop:
        trainer = make_trainer(asked, Path(model), rows, Path(out), loop, ())
        trainer.model.train()
        trainer._generate_single_turn = lambda prompts, *_, **__: replies(trainer, prompts)
        inputs = [dict(trainer.train_dataset[0]) for _ in range(GROUP // count)]
        made = trainer._generate_and_score_completions(inputs)
    lengths = [len(row["round_ids"]) for row in inputs]
    return [line[:length] for line, length in zip(made["advantages"].tolist(), lengths, strict=True)]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(advantages(*sys.argv[1:])) + "\n")
    if "RANK" in os.environ:
        import torch.distributed

        torch.distributed.destroy_process_group()
