"""Asks a meta-agent for the next round of a task: one change to a round, with bounded repairs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Spending
from flowreasoner.designers.reply import read_proposal
from flowreasoner.models import ChatRequest, Message
from flowreasoner.text import shorten
from flowreasoner.workflow import Diagnostic, check
from flowreasoner_adapters.aflow.workspace import interface

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from flowreasoner.designers.reply import Proposed
    from flowreasoner.models import ChatModel
    from flowreasoner.operators import Operator
    from flowreasoner.workflow import Report, Workflow
    from flowreasoner_adapters.aflow.reading import RoundFolder

__all__ = ["ATTEMPTS", "Proposal", "propose"]

ATTEMPTS = 4
"""How often a round's workflow is asked for; AFlow asks without end."""

_LONGEST_LOG = 2_000

_SYSTEM = """\
You are a meta-agent. You improve a workflow: a small program that calls a worker language model through \
operators to solve every problem of one kind. You change one thing at a time, see how the new workflow scores, and \
go on from the best."""

_TASK = """\
# Task

Problems of the kind: {kind}. Their score is the mean over a validation set.

# Workflow to improve (round {father}, score: {score:.4f})

<graph>
{graph}
</graph>
<prompt>
{prompt}
</prompt>

# Experience with it

{experience}

# Some problems it failed on

{log}

# Operators

Each is awaited and returns a dictionary.

{operators}

# Rules

- Change one thing, in at most some five lines, and nothing that was tried before.
- Write the class Workflow, complete, with __init__(self, name, llm_config, dataset) and async __call__ as above. \
Every path returns the answer and self.llm.cost_manager.total_cost.
- Instructions for custom and custom_code_generate go into prompts, used as prompt_custom.NAME: constant texts without \
placeholders. The instruction is put right before the input.
- Plain Python: assignments, if, for, while, try, f-strings, comprehensions, the usual functions, and re, json, math. \
Every loop has a bound; every result is used. At most ten operator calls.

# Your reply

<modification>one sentence: what you change, and why</modification>
<graph>
the class Workflow, complete
</graph>
<prompt>
NAME = \"\"\"...\"\"\"   (one assignment for each prompt_custom.NAME)
</prompt>"""

_AGAIN = """\
This cannot be used:

{problems}

Answer again, complete and corrected, in the same form."""


@dataclass(frozen=True)
class Proposal:
    """What the meta-agent proposed.

    Attributes:
        modification: What it changed, in its words.
        workflow: The checked workflow; None when the last attempt was refused as well.
        graph: Text of the workflow.
        prompt: Text of the prompts.
        diagnostics: What the checker said of it.
        spent: Cost of all attempts.
    """

    modification: str
    workflow: Workflow | None
    graph: str
    prompt: str
    diagnostics: tuple[Diagnostic, ...]
    spent: Spending


async def propose(
    meta_agent: ChatModel,
    father: RoundFolder,
    score: float,
    *,
    kind: str,
    experience: str,
    tried: Collection[str],
    log: Sequence[Mapping[str, Any]],
    operators: Mapping[str, Operator],
    draw: str,
) -> Proposal:
    """Asks for a workflow that improves on a round.

    Args:
        meta_agent: Whom to ask.
        father: The round to improve.
        score: Its mean score.
        kind: Kind of the problems, e.g. ``code``.
        experience: What was tried on it before.
        tried: Modifications that may not be repeated.
        log: Problems that it failed on.
        operators: What the workflow may call.
        draw: Prefix of the draws.

    Returns:
        The first proposal that passes the checker and is new, or the last one.

    Raises:
        ModelError: If the meta-agent cannot be reached.
    """
    messages = [Message("system", _SYSTEM), Message("user", _task(father, score, kind, experience, log, operators))]
    spent = Spending()
    for attempt in range(ATTEMPTS):
        completion = await meta_agent.complete(ChatRequest(tuple(messages), f"{draw}/m{attempt}", "meta-agent"))
        spent += completion.spending
        proposed = read_proposal(completion)
        report = check(proposed.graph, proposed.prompt, operators)
        problems = _problems(proposed, report, tried)
        workflow = None if problems else report.workflow
        if workflow is not None or attempt == ATTEMPTS - 1:
            break
        listed = "\n".join(f"- {item}" for item in problems)
        messages += [Message("assistant", completion.text), Message("user", _AGAIN.format(problems=listed))]
    return Proposal(proposed.modification, workflow, proposed.graph, proposed.prompt, tuple(problems), spent)


def _task(
    father: RoundFolder,
    score: float,
    kind: str,
    experience: str,
    log: Sequence[Mapping[str, Any]],
    operators: Mapping[str, Operator],
) -> str:
    assert father.workflow is not None  # noqa: S101 - chosen among those that have one
    return _TASK.format(
        kind=kind,
        father=father.number,
        score=score,
        graph=father.workflow.source.strip(),
        prompt=father.workflow.prompt_source.strip(),
        experience=experience,
        log="\n\n".join(map(_shortened, log)) or "None is known.",
        operators="\n".join(f"- self.{interface(item)}\n  {item.description}" for item in operators.values()),
    )


def _problems(proposed: Proposed, report: Report, tried: Collection[str]) -> list[Diagnostic]:
    """Returns why a proposal cannot be used."""
    if not proposed.graph:
        return [Diagnostic(0, 0, "no-graph", "error", "the reply contains no workflow", "put it into <graph>")]
    problems = [item for item in report.diagnostics if item.severity == "error"]
    if proposed.modification in tried:
        said = f"this was tried before: {shorten(proposed.modification, 120)}"
        problems.append(Diagnostic(0, 0, "tried-before", "error", said, "change something else"))
    return problems


def _shortened(entry: Mapping[str, Any]) -> str:
    """Returns an entry of a log as the meta-agent reads it."""
    return json.dumps({key: str(value)[:_LONGEST_LOG] for key, value in entry.items()}, indent=2, ensure_ascii=False)
