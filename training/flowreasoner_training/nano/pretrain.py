"""Trains the miniature's worker from scratch on its lessons."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

__all__ = ["Example", "batches", "encode", "pretrain"]

_IGNORED = -100


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
    *,
    epochs: int,
    learning_rate: float,
    batch_tokens: int,
    seed: int,
    report: Callable[[int, int, float], None],
) -> None:
    """Trains all weights of a model (AdamW, warm-up, cosine).

    Args:
        model: The model, changed in place.
        examples: What it learns.
        epochs: Passes over the examples.
        learning_rate: Peak learning rate.
        batch_tokens: Tokens per step, padding included.
        seed: Seed of the order.
        report: Called after each step with its number, the number of steps and the loss.
    """
    roll = random.Random(seed)  # noqa: S311 - reproducible on purpose
    steps = [batch for _ in range(epochs) for batch in batches(examples, batch_tokens, roll)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, betas=(0.9, 0.95), weight_decay=0.05)
    warmup = min(100, len(steps) // 10 + 1)
    model.train()
    for number, batch in enumerate(steps):
        rate = min(1.0, (number + 1) / warmup) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * number / len(steps))))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * rate
        ids, labels = _tensors(batch, model.config.pad_token_id)
        loss = model(input_ids=ids, labels=labels, use_cache=False).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        report(number + 1, len(steps), loss.item())
    model.eval()
