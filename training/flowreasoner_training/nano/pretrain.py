"""Trains the miniature's models from scratch: the worker on its lessons, the meta-agent on readings of queries."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import cross_entropy

from flowreasoner.errors import TrainingError
from flowreasoner_training.files import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from flowreasoner_training.recipes.schema import NanoSettings

__all__ = ["Example", "batches", "encode", "pretrain"]

_IGNORED = -100
_SAVE_STEPS = 100


@dataclass(frozen=True, slots=True)
class Example:
    """A conversation of one question: its token ids, and how many of them are the question's."""

    ids: tuple[int, ...]
    asked: int


def encode(tokenizer: PreTrainedTokenizerFast, prompt: str, answer: str) -> Example:
    """Returns a question and its answer as tokens; only the answer is learnt."""
    question = tokenizer(f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n")["input_ids"]
    reply = tokenizer(f"{answer}<|im_end|>")["input_ids"]
    return Example((*question, *reply), len(question))


def batches(examples: Sequence[Example], tokens: int, roll: random.Random) -> Iterator[list[Example]]:
    """Yields all examples in batches of about `tokens` tokens, examples of like length together, in random order."""
    order = sorted(examples, key=lambda item: (len(item.ids), roll.random()))
    made: list[list[Example]] = [[]]
    for example in order:
        if made[-1] and (len(made[-1]) + 1) * len(example.ids) > tokens:
            made.append([])
        made[-1].append(example)
    roll.shuffle(made)
    yield from made


def _tensors(batch: list[Example], padding: int) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(len(item.ids) for item in batch)
    ids = torch.full((len(batch), longest), padding)
    labels = torch.full((len(batch), longest), _IGNORED)
    for row, item in enumerate(batch):
        ids[row, : len(item.ids)] = torch.tensor(item.ids)
        labels[row, item.asked : len(item.ids)] = torch.tensor(item.ids[item.asked :])
    return ids, labels


def pretrain(
    model: PreTrainedModel,
    examples: Sequence[Example],
    settings: NanoSettings,
    *,
    seed: int,
    checkpoint: Path,
    report: Callable[[int, int, float], None] = lambda *_: None,
) -> None:
    """Trains all weights of a model (AdamW, warm-up, cosine), one pass over the examples.

    Args:
        model: The model, changed in place.
        examples: What it learns.
        settings: Learning rate and tokens per step, padding included.
        seed: Seed of the order.
        checkpoint: File for the state of the training, which goes on from it where it is there.
        report: Called after each step with its number, the number of steps and the loss.

    Raises:
        TrainingError: If the loss is no number, or the state cannot be written.
    """
    steps = list(batches(examples, settings.batch_tokens, random.Random(seed)))  # noqa: S311 - reproducible on purpose
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.95), weight_decay=0.05)
    done = _restore(checkpoint, model, optimizer)
    model.train()
    for number, batch in enumerate(steps[done:], done + 1):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _share(number, len(steps))
        loss = _loss(model, *_tensors(batch, model.config.pad_token_id))
        if not torch.isfinite(loss):
            raise TrainingError(f"the loss of step {number} is {loss.item()}; lower nano.learning_rate")
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if number % _SAVE_STEPS == 0:
            _save(checkpoint, model, optimizer, number)
        report(number, len(steps), loss.item())
    model.eval()  # type: ignore[no-untyped-call]


def _loss(model: PreTrainedModel, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Returns the mean loss of the learnt tokens, of which alone there are logits: three of four tokens are questions.

    Args:
        model: The model.
        ids: Token ids, ``(B, T)``.
        labels: The same where they are learnt.
    """
    hidden = model.base_model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    following = labels[:, 1:]
    learnt = following != _IGNORED
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    return cross_entropy(head(hidden[learnt]), following[learnt])


def _share(number: int, steps: int) -> float:
    """Returns the learning rate of a step as a share of its peak."""
    warmup = min(100, steps // 10 + 1)
    return min(1.0, number / warmup) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * number / steps)))


def _save(path: Path, model: PreTrainedModel, optimizer: torch.optim.Optimizer, done: int) -> None:
    partial = path.with_name(f"{path.name}.part")
    with guarded(path):
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "done": done}, partial)
        partial.replace(path)


def _restore(path: Path, model: PreTrainedModel, optimizer: torch.optim.Optimizer) -> int:
    """Takes up the state that was saved last, and returns how many steps it has behind it."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["done"])
