"""A training that takes seconds: a random model, a reward that it can raise, and a worker that is a function.

Run as a script, it trains in a process of its own: ``python grpo_runs.py MODEL OUT [--resume] [SETTING=VALUE ...]``.
"""

import json
import sys
from pathlib import Path

from fake_sandbox import FakeSandbox

from flowreasoner.models import FunctionModel
from flowreasoner.query import Query
from flowreasoner.sandbox import Suite
from flowreasoner_plugins import hookimpl, load_plugins

WORKFLOW = """\
<modification>{modification}</modification>
<graph>
class Workflow:
    async def __call__(self, problem, entry_point):
        solution = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction="")
        return solution['response'], self.llm.cost_manager.total_cost
</graph>"""
TIMES = ("seconds", "step_time")


def vowels(item, _):
    """A reward term for a policy that writes no workflow yet: the share of vowels in its reply."""
    text = item.turns[0].content.lower()
    return sum(letter in "aeiou" for letter in text) / max(1, len(text))


class Terms:
    """A plugin with the term."""

    @hookimpl
    def flowreasoner_reward_terms(self):
        return {"vowels": vowels}


def plugins():
    return load_plugins(entry_points=False, extra={"terms": Terms()})


def queries(count=4):
    return [
        Query(f"Write f{i}(x), which adds {i}.", feedback=Suite.asserts([f"assert f{i}(1) == {i + 1}"], f"f{i}"))
        for i in range(count)
    ]


def recipe(*, lora=None, seed=0, hardware=None, **grpo):
    from flowreasoner_training.recipes import schema

    settings = {
        "group_size": 3,
        "queries_per_step": 2,
        "rounds": 2,
        "excluded_rounds": 1,
        "max_steps": 4,
        "round_tokens": 8,
        "max_tokens": 3000,
        "micro_batch": 3,
        "learning_rate": 1e-3,
        "warmup_steps": 0,
        "save_steps": 2,
    }
    return schema.Recipe(
        name="tiny",
        description="A random model learns to write vowels.",
        model=schema.ModelSettings(
            name="tiny",
            dtype="float32",
            gradient_checkpointing=False,
            lora=None if lora is None else schema.LoraSettings(rank=lora),
        ),
        queries=schema.QuerySettings(benchmark="demo"),
        worker=schema.WorkerSettings(model="sim:", evaluations=1),
        rewards=schema.RewardSettings(weights={"performance": 1.0, "vowels": 1.0}),
        distill=schema.DistillSettings(teacher="sim:"),
        grpo=schema.GrpoSettings(**{**settings, **grpo}),
        hardware=schema.HardwareSettings(device="cpu", gpus=0, threads=1, **(hardware or {})),
        seed=seed,
    )


def answering(request):
    return "```python\ndef f(x):\n    return x\n```"


def train(model, out, *, resume=False, worker=answering, observers=(), **settings):
    from flowreasoner_training.grpo.train import train_grpo

    return train_grpo(
        recipe(**settings),
        Path(model),
        queries(),
        FunctionModel(worker) if callable(worker) else worker,
        Path(out),
        resume=resume,
        plugins=plugins(),
        sandbox=FakeSandbox(),
        observers=observers,
    )


def lines(out):
    """The log without its times, which differ from run to run."""
    read = [json.loads(line) for line in (Path(out) / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in TIMES} for line in read]


if __name__ == "__main__":
    model, out, *rest = sys.argv[1:]
    given = dict(item.split("=") for item in rest if "=" in item)
    train(model, out, resume="--resume" in rest, **{name: json.loads(value) for name, value in given.items()})
