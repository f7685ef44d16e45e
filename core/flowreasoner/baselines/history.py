"""What a search found, told as rounds of FlowReasoner's conversation on one query."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flowreasoner.designers.conversation import conversation, task_message, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.designers import Round, Workbench
    from flowreasoner.models.base import Message
    from flowreasoner.query import Query

__all__ = ["CONTEXT_TOKENS", "history"]

CONTEXT_TOKENS = 100_000
"""Size of a request that is not exceeded; models with a smaller context say so themselves."""


def history(query: Query, rounds: Sequence[Round], bench: Workbench) -> tuple[Message, ...]:
    """Returns the conversation that asks for the next workflow.

    Where there is no room for all rounds the first ones are left out, not shortened as in a design: a design has few
    rounds, and small meta-agents, which were trained on nothing else, make no sense of many short ones. For the same
    reason the rounds that are left are numbered from 1.

    Args:
        query: What the conversation is about.
        rounds: With the feedback on this query, the most important ones last.
        bench: Meta-agent, operators, and the limits of a run.
    """
    task = task_message(query, bench.operators.values(), bench.budget.calls)
    fits = within(CONTEXT_TOKENS, bench.meta_agent)
    messages = conversation(task, [])
    for count in range(1, len(rounds) + 1):
        shown = [replace(item, number=number) for number, item in enumerate(rounds[-count:], 1)]
        longer = conversation(task, shown)
        if not fits(longer):
            break
        messages = longer
    return messages
