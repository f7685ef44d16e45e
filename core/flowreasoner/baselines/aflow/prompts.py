"""What AFlow's meta-agent is asked, in words of our own, with the rules and the form of reply of this project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowreasoner.text import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowreasoner.baselines.aflow.experience import Experience
    from flowreasoner.feedback import Feedback
    from flowreasoner.query import Query

__all__ = ["expansion_prompt"]

_LONGEST_TEXT = 2_000

_EXPAND = """\
You improve a workflow and its prompts, which together solve {task} problems. A workflow is a small program that calls \
a worker language model through operators. The same workflow serves all problems of the kind. It is scored on a set of \
them; the highest score is 1.

# The workflow so far

Its score is {score:.4f}.

<graph>
{graph}
</graph>
<prompt>
{prompt}
</prompt>

# What was learned from changing this workflow

{experience}

# Problems that it does not solve

{log}

# Your step

Make one change to this workflow, and only one: add, alter or remove a call, a parameter or a prompt. It may touch \
five lines of code at most, and the result must differ from the workflow above. Say in <modification> what you change. \
Ways of critical thinking may help, such as review, revision, several answers with a vote, or questions that the \
worker asks itself; so may loops and conditions, and operators that are not used yet. Keep the complexity of the \
graph at 10 or below. What is not passed on to a call is lost to it, so give each call the context it needs. \
Write all prompts that the graph uses, and no others.

{language}"""

_FAILURE = """\
## Problem

{problem}

## Answer

{answer}

## What was wrong

{feedback}"""


def expansion_prompt(
    experience: Experience, failures: Iterable[tuple[Query, Feedback]], task: str, language: str
) -> str:
    """Returns the request for one change to a workflow.

    Args:
        experience: With the workflow that is changed.
        failures: Some problems that it does not solve, with what its runs gave.
        task: The kind of problems, in a word.
        language: How workflows are written, and the form of the reply.
    """
    parent = experience.parent.validated
    log = "\n\n".join(_failure(query, feedback) for query, feedback in failures)
    return _EXPAND.format(
        task=task,
        score=parent.score,
        graph=parent.workflow.source,
        prompt=parent.workflow.prompt_source,
        experience=experience.render(),
        log=log or "There is none among those that it is scored on.",
        language=language,
    )


def _failure(query: Query, feedback: Feedback) -> str:
    worst = min(feedback.evaluations, key=lambda item: item.score)
    answer = worst.answer if worst.answer is not None else f"none: {shorten(worst.error, _LONGEST_TEXT)}"
    return _FAILURE.format(
        problem=query.problem[:_LONGEST_TEXT], answer=answer[:_LONGEST_TEXT], feedback=feedback.render()
    )
