"""Fittings of ScoreFlow that take seconds: a function writes, and a tiny model is trained on its words."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from agents import RIGHT, WRONG, one_call
from fake_sandbox import FakeSandbox
from grpo_runs import queries

from flowreasoner.budget import Budget, Meter
from flowreasoner.designers import Workbench
from flowreasoner.models import FunctionModel, ScriptedModel
from flowreasoner.operators import BUILTIN
from flowreasoner_training.baselines.scoreflow import Dpo, Sampling, ScoreFlow

REPLIES = {"c0": one_call("good"), "c1": one_call("bad"), "c2": "I would rather not.", "c3": one_call("half")}
SCORES = {"c0": 1.0, "c1": 0.0, "c2": 0.0, "c3": 0.5}
TINY_DPO = Dpo(learning_rate=1e-3, batch_size=2, lora=None, dtype="float32", gradient_checkpointing=False)


def write(request):
    """The generator: what it writes depends on the number of the candidate alone."""
    return REPLIES[request.draw.rpartition("/")[2]]


def work(request):
    """The worker: the workflow's prompt says how well it does; ``half`` is right in the first of two runs."""
    prompt = request.messages[-1].content
    right = "good" in prompt or ("half" in prompt and "/e1/" in request.draw)
    return f"```python\n{RIGHT if right else WRONG}\n```"


@dataclass(frozen=True)
class Scripted(Sampling):
    """Opens a function in place of any checkpoint, and keeps what was opened."""

    function: object = write
    opened: object = None

    def open(self, checkpoint, exported, batch):
        if self.opened is not None:
            self.opened.append(checkpoint)
        return FunctionModel(self.function, "function:generator")


def bench(worker=work, *, tokens=None, seed=0):
    """With a single operator, so that tasks are short."""
    model = FunctionModel(worker, "function:worker") if callable(worker) else worker
    meter = Meter(Budget(calls=None, seconds=None, tokens=tokens, steps=None, memory=None))
    sandbox, operators = FakeSandbox(lambda code: code == RIGHT), {"CustomCodeGenerate": BUILTIN["CustomCodeGenerate"]}
    return Workbench(ScriptedModel([]), model, sandbox, operators, meter=meter, seed=seed)


def method(start, **settings):
    given = {"iterations": 1, "workflows": 4, "evaluations": 2, "pairs": 4, "dpo": TINY_DPO, "sampling": Scripted()}
    return ScoreFlow(Path(start), **{**given, **settings})


def train_queries(count=3):
    return queries(count)


def pairs_and_losses(folder):
    """What an iteration trained on, and the loss of each of its steps."""
    return {
        made.name: [
            [json.loads(line) for line in (made / "pairs.jsonl").read_text().splitlines()],
            [json.loads(line)["loss"] for line in (made / "log.jsonl").read_text().splitlines()],
        ]
        for made in sorted(Path(folder).glob("iteration-[0-9]"))
    }


def killed(folder, out, lines, *, torn=b"", trained=()):
    """Copies a finished fitting as a kill would have left it: the first lines of the journal, and some iterations."""
    out.mkdir()
    journal = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (out / "journal.jsonl").write_bytes(b"".join(journal[:lines]) + torn)
    for name in trained:
        shutil.copytree(folder / name, out / name)
    return out
