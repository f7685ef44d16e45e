"""What the miniature's meta-agent learns before it designs anything: to read queries.

Large meta-agents bring this from their pretraining. A small one that starts from nothing sees too few queries in its
fine-tuning to tell what they ask for, and would design for a deep query as for a shallow one.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flowreasoner.designers.conversation import conversation, task_message
from flowreasoner.miniature.queries import FEEDBACK, tests_of
from flowreasoner.models.base import Message
from flowreasoner_training.nano.lessons import draw_problem
from flowreasoner_training.nano.pretrain import Example
from flowreasoner_training.nano.teacher import size_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from transformers import PreTrainedTokenizerFast

    from flowreasoner.operators import Operator

__all__ = ["Reading", "encode_reading", "readings"]

_DEPTHS = (1, 2, 3, 4)
_WHOLE = 5
"""One reading in so many has the whole task before it, which is several times as long as the query."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A query in a conversation, and what the meta-agent's thoughts on it begin with."""

    messages: tuple[Message, ...]
    thoughts: str


def readings(seed: int, count: int, operators: Iterable[Operator], calls: int) -> Iterator[Reading]:
    """Yields readings of queries of the training split.

    Most show the query alone, and spell its steps out; the others show the task as a meta-agent gets it, and end with
    how many steps there are, as its teacher's thoughts begin.

    Args:
        seed: Decides which.
        count: How many.
        operators: Those of the task.
        calls: Operator calls that the task allows per run.
    """
    roll = random.Random(f"readings/{seed}")  # noqa: S311 - reproducible on purpose
    known = tuple(operators)
    for number in range(count):
        depth = roll.choice(_DEPTHS)
        composition, query, inputs = draw_problem(roll, depth)
        begun = f"<think>{size_of(depth)}"
        if number % _WHOLE == 0:
            # A task names the operator Test only where there are tests.
            query = replace(query, feedback=tests_of(composition, query.entry_point, inputs[:FEEDBACK]))
            yield Reading(tuple(conversation(task_message(query, known, calls), [])), begun)
        else:
            asked = Message("user", f"# Query\n\n{query.problem}")
            yield Reading((asked,), f"{begun}\n{composition.plan()}")


def encode_reading(tokenizer: PreTrainedTokenizerFast, reading: Reading) -> Example:
    """Returns a reading as tokens; only the thoughts are learnt, and not that they end."""
    messages = [{"role": message.role, "content": message.content} for message in reading.messages]
    asked = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    return Example((*asked, *tokenizer(reading.thoughts)["input_ids"]), len(asked))
