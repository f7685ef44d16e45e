"""The two ways to ask ADAS's meta-agent for the next workflow: the published one, and FlowReasoner's conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from flowreasoner.baselines.adas import prompts
from flowreasoner.baselines.history import CONTEXT_TOKENS, history
from flowreasoner.designers import Round
from flowreasoner.designers.conversation import language_message, within
from flowreasoner.models.base import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.baselines.adas.archive import Entry
    from flowreasoner.baselines.meta_agent import Reply
    from flowreasoner.designers import Workbench
    from flowreasoner.feedback import Feedback
    from flowreasoner.query import Query

__all__ = ["REFLEXIONS", "Asking", "Attempt", "Conversation", "Published"]

REFLEXIONS = 2


@dataclass(frozen=True)
class Attempt:
    """A reply of a generation that was not the last one.

    Attributes:
        reply: The reply.
        feedback: Why it was refused, or how its workflow did on the generation's query; empty where neither is known.
    """

    reply: Reply
    feedback: Feedback


class Asking(Protocol):
    """A way to ask."""

    looks: bool
    """Whether a workflow is evaluated on the generation's query before the reflexion on it."""

    def messages(self, archive: Sequence[Entry], attempts: Sequence[Attempt]) -> tuple[Message, ...]:
        """Returns the conversation that asks for the next reply of a generation.

        Args:
            archive: All entries.
            attempts: The generation's replies so far. The first is followed by a review, the second by a check of the
                rules, further ones by what went wrong.
        """
        ...


class Published:
    """Asks as the authors do: the whole archive in one message, two reflexions, then the errors.

    Where the model's context is too small for the archive, the least fit entries are left out.

    Args:
        query: Shown as an example.
        bench: Operators, and the limits of a run.
        task: The kind of problems, in a word.
    """

    looks = False

    def __init__(self, query: Query, bench: Workbench, task: str) -> None:
        self._query, self._task = query, task
        tests = query.feedback is not None
        self._language = language_message(bench.operators.values(), bench.budget.calls, tests=tests)
        self._fits = within(CONTEXT_TOKENS, bench.meta_agent)

    def messages(self, archive: Sequence[Entry], attempts: Sequence[Attempt]) -> tuple[Message, ...]:
        """Returns the conversation; see `Asking.messages`."""
        shown = list(archive)
        turns = self._turns(archive[-1], attempts)
        while not self._fits(messages := (*self._opening(shown), *turns)) and len(shown) > 1:
            shown.remove(min(shown, key=lambda entry: entry.fitness.median))
        return messages

    def _opening(self, shown: Sequence[Entry]) -> tuple[Message, ...]:
        text = prompts.OPENING.format(
            task=self._task,
            problem=self._query.problem.strip(),
            archive="\n\n".join(map(_entry, shown)),
            language=self._language,
        )
        return Message("system", prompts.SYSTEM), Message("user", text)

    def _turns(self, last: Entry, attempts: Sequence[Attempt]) -> list[Message]:
        previous = prompts.PREVIOUS.format(entry=_entry(last)) if last.generation else ""
        reflexions = (prompts.REVIEW.format(previous=previous), prompts.RULES)
        turns = []
        for number, attempt in enumerate(attempts):
            debug = prompts.DEBUG.format(feedback=attempt.feedback.render())
            text = reflexions[number] if number < REFLEXIONS else debug
            turns += [Message("assistant", attempt.reply.text), Message("user", text)]
        return turns


class Conversation:
    """Asks in FlowReasoner's conversation on one query: archive and attempts are its rounds, the fittest last.

    A reflexion is a further round, so each attempt has feedback, the first two on the generation's query alone. As in a
    design, no round follows a perfect one.

    Args:
        query: What the conversation is about.
        bench: Meta-agent, operators, and the limits of a run.
    """

    looks = True

    def __init__(self, query: Query, bench: Workbench) -> None:
        self._query, self._bench = query, bench

    def messages(self, archive: Sequence[Entry], attempts: Sequence[Attempt]) -> tuple[Message, ...]:
        """Returns the conversation; see `Asking.messages`."""
        ranked = sorted(archive, key=lambda entry: entry.fitness.median)
        known = [entry.validated.as_round(self._query) for entry in ranked]
        return history(self._query, [*known, *map(_round, attempts)], self._bench)


def _round(attempt: Attempt) -> Round:
    proposed, turns = attempt.reply.proposed, (Message("assistant", attempt.reply.text),)
    texts = (proposed.modification, attempt.reply.report.workflow, proposed.graph, proposed.prompt)
    return Round(0, proposed.reasoning, *texts, attempt.feedback, turns)


def _entry(entry: Entry) -> str:
    validated = entry.validated
    return prompts.ENTRY.format(
        modification=validated.modification,
        generation=entry.generation or "initial",
        fitness=entry.fitness,
        graph=validated.workflow.source,
        prompt=validated.workflow.prompt_source,
    )
