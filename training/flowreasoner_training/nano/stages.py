"""The miniature's own stages: its worker, the meta-agent before it designs anything, and the pair for the wheel."""

from __future__ import annotations

import json
import shutil
import time
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch

from flowreasoner_plugins.cli.wording import clock
from flowreasoner_training.checkpoints import keep_lines
from flowreasoner_training.files import guarded, make_folder
from flowreasoner_training.nano.architecture import new_model
from flowreasoner_training.nano.export import export_embedded
from flowreasoner_training.nano.lessons import lessons
from flowreasoner_training.nano.pretrain import encode, pretrain
from flowreasoner_training.nano.reading import encode_reading, readings
from flowreasoner_training.nano.tokenizer import frequent_sentences, make_tokenizer
from flowreasoner_training.trajectory import read_trajectories

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from transformers import PreTrainedModel

    from flowreasoner.operators import Operator
    from flowreasoner_training.nano.pretrain import Example
    from flowreasoner_training.recipes.schema import NanoSettings, Recipe

__all__ = ["WORKER_SAMPLING", "export_pair", "make_meta_agent", "train_worker"]

WORKER_SAMPLING = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 160}
META_AGENT_SAMPLING = {"temperature": 0.7, "top_p": 1.0, "max_tokens": 512}
_SAMPLE = 6_000
_LONGEST_LESSON = 512
_LOGGED = 50


def train_worker(nano: NanoSettings, seed: int, out: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Trains the worker from scratch, and writes it as a checkpoint and, in 8 bits, for the engine.

    Args:
        nano: Shape and training of the worker.
        seed: Seed of lessons, weights and order.
        out: Gets ``model`` and ``embedded``; an interrupted training there is gone on with.
        tell: Called with lines of progress.

    Returns:
        Facts for the log.
    """
    make_folder(out)
    tell(f"making {nano.lessons:,} lessons")
    taught = list(lessons(seed, nano.lessons))
    sentences = frequent_sentences(lesson.prompt for lesson in taught[:_SAMPLE])
    texts = [text for lesson in taught[:_SAMPLE] for text in (lesson.prompt, lesson.answer)]
    tokenizer = make_tokenizer(texts, sentences, nano.worker.vocabulary)
    examples = [encode(tokenizer, lesson.prompt, lesson.answer) for lesson in taught]
    examples = [example for example in examples if len(example.ids) <= _LONGEST_LESSON]
    model = new_model(tokenizer, nano.worker, seed)
    losses = _pretrain(model, examples, nano, seed, out, tell)
    _write(model, tokenizer, out / "model")
    export_embedded(out / "model", out / "embedded", WORKER_SAMPLING)
    (out / "state.pt").unlink(missing_ok=True)
    return {
        "lessons": len(examples),
        "tokens": sum(len(example.ids) for example in examples),
        "parameters": model.num_parameters(),
        "loss": _last(losses),
    }


def _pretrain(
    model: PreTrainedModel,
    examples: Sequence[Example],
    nano: NanoSettings,
    seed: int,
    out: Path,
    tell: Callable[[str], None],
) -> list[float]:
    """Trains on examples with progress, a log and a state in `out`; returns the losses of this session's steps."""
    losses: list[float] = []
    start = time.monotonic()

    def report(step: int, steps: int, loss: float) -> None:
        if not losses:
            keep_lines(out / "log.jsonl", step - 1)  # what an interruption cost is logged again
        losses.append(loss)
        if step % _LOGGED == 0 or step == steps:
            left = (time.monotonic() - start) / len(losses) * (steps - step)
            tell(f"step {step}/{steps}: loss {_last(losses):.3f}, about {clock(left)} left")
            with guarded(out), (out / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps({"step": step, "loss": round(_last(losses), 4)}) + "\n")

    pretrain(model, examples, nano, seed=seed, checkpoint=out / "state.pt", report=report)
    return losses


def _last(losses: Sequence[float]) -> float:
    """Returns the mean of the last losses, 0 where there are none."""
    return sum(losses[-_LOGGED:]) / max(1, len(losses[-_LOGGED:]))


def make_meta_agent(
    recipe: Recipe, trajectories: Path, operators: Iterable[Operator], out: Path, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Writes a meta-agent that reads queries and designs nothing yet, with a tokenizer made for its conversations.

    Args:
        recipe: Shape, seed, and how much it reads.
        trajectories: What it will learn from.
        operators: Those of its tasks.
        out: Folder of the checkpoint; an interrupted training there is gone on with.
        tell: Called with lines of progress.

    Returns:
        Facts for the log.
    """
    assert recipe.nano is not None  # noqa: S101 - a stage of recipes that have it
    make_folder(out)
    tell(f"making a tokenizer and {recipe.nano.readings:,} readings")
    conversations = [item.messages() for item in islice(read_trajectories(trajectories), _SAMPLE)]
    read = [item["content"] for messages in conversations for item in messages if item["role"] != "assistant"]
    texts = [item["content"] for messages in conversations for item in messages]
    tokenizer = make_tokenizer(texts, frequent_sentences(read), recipe.nano.meta_agent.vocabulary)
    model = new_model(tokenizer, recipe.nano.meta_agent, recipe.seed)
    shown = readings(recipe.seed, recipe.nano.readings, operators, recipe.worker.calls)
    examples = [encode_reading(tokenizer, reading) for reading in shown]
    losses = _pretrain(model, examples, recipe.nano, recipe.seed, out, tell)
    _write(model, tokenizer, out)
    (out / "state.pt").unlink(missing_ok=True)
    facts = {"parameters": model.num_parameters(), "vocabulary": len(tokenizer), "readings": len(examples)}
    return facts | {"loss": _last(losses)}


def export_pair(worker: Path, sft: Path, meta_agent: Path, out: Path) -> dict[str, Any]:
    """Writes worker and meta-agent in 8 bits, as the wheel holds them.

    Args:
        worker: The worker's folder, from `train_worker`.
        sft: Checkpoint of the meta-agent after SFT.
        meta_agent: Checkpoint of the trained meta-agent.
        out: Gets ``worker``, ``meta_agent_sft`` and ``meta_agent``.
    """
    make_folder(out)
    shutil.copytree(worker / "embedded", out / "worker", dirs_exist_ok=True)
    export_embedded(sft, out / "meta_agent_sft", META_AGENT_SAMPLING)
    export_embedded(meta_agent, out / "meta_agent", META_AGENT_SAMPLING)
    return {"bytes": sum(file.stat().st_size for file in out.rglob("*") if file.is_file())}


def _write(model: PreTrainedModel, tokenizer: Any, folder: Path) -> None:
    with torch.no_grad():
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
