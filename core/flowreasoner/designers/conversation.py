"""The meta-agent's conversation: the task, then each round's reply and its feedback, within the context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowreasoner.designers import instructions
from flowreasoner.designers.base import select_best
from flowreasoner.models.base import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flowreasoner.designers.base import Round
    from flowreasoner.operators import Operator
    from flowreasoner.query import Query

__all__ = ["conversation", "feedback_message", "language_message", "task_message", "within"]

_CHARACTERS_PER_TOKEN = 4
_LONGEST_TEST = 1_500
_MOST_TESTS = 40


def task_message(query: Query, operators: Iterable[Operator], calls: int | None) -> str:
    """Returns the first user message: the query, how it is judged, the operators and the rules.

    Only feedback tests are in it; hidden tests are not even passed to this module.

    Args:
        query: What is asked.
        operators: What workflows may call.
        calls: Operator calls that one run may make; None for no limit.
    """
    if query.feedback is not None:
        shown = [f"- {case.source[:_LONGEST_TEST]}" for case in query.feedback.cases[:_MOST_TESTS]]
        if len(query.feedback) > _MOST_TESTS:
            shown.append(f"- and {len(query.feedback) - _MOST_TESTS} more")
        judging = instructions.JUDGED_BY_TESTS.format(count=len(query.feedback), tests="\n".join(shown))
    else:
        judging = instructions.JUDGED_BY_METRIC
    return instructions.TASK.format(
        problem=query.problem.strip(),
        entry_point=f"\nThe answer must define `{query.entry_point}`.\n" if query.entry_point else "",
        judging=judging,
        **_language(operators, calls, tests=query.feedback is not None),
    )


def language_message(operators: Iterable[Operator], calls: int | None, *, tests: bool) -> str:
    """Returns the part of a message that says how workflows are written, whatever they are for.

    Args:
        operators: What workflows may call.
        calls: Operator calls that one run may make; None for no limit.
        tests: Whether queries have tests, which the operator Test runs.
    """
    return instructions.LANGUAGE.format(**_language(operators, calls, tests=tests))


def _language(operators: Iterable[Operator], calls: int | None, *, tests: bool) -> dict[str, object]:
    usable = [item for item in operators if item.name != "Test" or tests]
    return {
        "operators": "\n".join(f"- self.{item.interface()}\n  {item.description}" for item in usable),
        "calls": "any number of" if calls is None else calls,
    }


def within(context_tokens: int, model: object) -> Callable[[Sequence[Message]], bool]:
    """Returns a function that tells whether a conversation fits.

    Args:
        context_tokens: What it may take, at four characters a token.
        model: Asked, too, where it has a method ``fits``, as models with a small context do.
    """
    fits = getattr(model, "fits", None)

    def check(messages: Sequence[Message]) -> bool:
        return _size(messages) <= context_tokens * _CHARACTERS_PER_TOKEN and (fits is None or fits(messages))

    return check


def conversation(
    task: str, rounds: Sequence[Round], fits: Callable[[Sequence[Message]], bool] = lambda _: True
) -> tuple[Message, ...]:
    """Returns the messages that ask for the next round.

    When they do not fit, rounds shrink to one line each, the oldest first; the best and the last come at the end.

    Args:
        task: The first user message.
        rounds: Finished rounds.
        fits: Tells whether a conversation is short enough.
    """
    best, whole = select_best(list(rounds)), list(rounds)
    messages = _messages(task, [], whole)
    kept = [item for item in rounds if item is best or item is rounds[-1]]
    for item in [*(item for item in rounds if item not in kept), *kept]:
        if fits(messages):
            break
        whole.remove(item)
        messages = _messages(task, [other for other in rounds if other not in whole], whole)
    return messages


def feedback_message(item: Round) -> str:
    """Returns the user message that follows a round: its feedback, and the request for the next workflow."""
    feedback = item.feedback.render()
    return instructions.NEXT.format(number=item.number, feedback=feedback, following=item.number + 1)


def _messages(task: str, shortened: Sequence[Round], whole: Sequence[Round]) -> tuple[Message, ...]:
    first = task
    if shortened:
        lines = [f"- Round {item.number} (score {item.score:.2f}): {item.modification}" for item in shortened]
        first = task + "\n\n" + instructions.SHORTENED.format(lines="\n".join(lines))
    messages = [Message("system", instructions.SYSTEM), Message("user", first)]
    for item in whole:
        messages += [*item.turns, Message("user", feedback_message(item))]
    return tuple(messages)


def _size(messages: Iterable[Message]) -> int:
    return sum(len(message.content) for message in messages)
