"""How the methods ask their meta-agent for a workflow, and take its reply apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from flowreasoner.designers.proposal import check_proposal
from flowreasoner.designers.reply import read_proposal
from flowreasoner.errors import QueryError, RequestRefused
from flowreasoner.models.base import Completion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.baselines.journal import FittingJournal
    from flowreasoner.designers import Workbench
    from flowreasoner.designers.reply import Proposed
    from flowreasoner.models.base import Message
    from flowreasoner.workflow import Report, Workflow

__all__ = ["MetaAgent", "Reply", "Wording", "as_reply", "check_wording"]

Wording = Literal["published", "conversation"]
"""How a meta-agent is asked: in the manner of the method's authors, or in FlowReasoner's own conversation."""


def check_wording(wording: str) -> None:
    """Refuses a wording that there is not.

    Raises:
        QueryError: With the ones that there are.
    """
    if wording not in get_args(Wording):
        raise QueryError(f"wording must be one of {', '.join(get_args(Wording))}, got {wording!r:.60}")


@dataclass(frozen=True)
class Reply:
    """A reply that was asked for a workflow.

    Attributes:
        text: As it came.
        proposed: Taken apart.
        report: What the checker says of its workflow.
    """

    text: str
    proposed: Proposed
    report: Report


class MetaAgent:
    """Asks the bench's meta-agent; a reply that the journal holds is read there.

    Args:
        bench: Meta-agent, operators and the budget of the fitting.
        journal: Of the fitting.
    """

    def __init__(self, bench: Workbench, journal: FittingJournal) -> None:
        self._bench, self._journal = bench, journal
        self._works = False

    async def ask(self, key: str, messages: Sequence[Message]) -> Reply:
        """Asks for a workflow.

        A request that is refused, when others were answered before, has an empty reply, which is refused in its turn:
        it may be too long, or filtered, where the next one is not.

        Args:
            key: Tells this request from others, for the journal and as its draw.
            messages: The conversation.

        Raises:
            ModelError: If the meta-agent cannot be used.
            BudgetExceeded: If the budget of the fitting ran out.
            StoreError: If the reply cannot be written down.
        """
        value = await self._journal.once(key, lambda: self._complete(key, messages))
        self._works = True
        completion = Completion(value["text"], value["reasoning"])
        proposed = read_proposal(completion)
        return Reply(completion.text, proposed, check_proposal(proposed, self._bench.operators))

    async def _complete(self, key: str, messages: Sequence[Message]) -> dict[str, Any]:
        try:
            completion = await self._bench.ask_meta_agent(messages, f"{self._bench.seed}/{key}")
        except RequestRefused:
            if not self._works:
                raise
            return {"text": "", "reasoning": ""}
        return {"text": completion.text, "reasoning": completion.reasoning}


def as_reply(modification: str, workflow: Workflow) -> str:
    """Returns a workflow that no meta-agent wrote in the form of a reply."""
    prompts = f"\n<prompt>\n{workflow.prompt_source}\n</prompt>" if workflow.prompts else ""
    return f"<modification>{modification}</modification>\n<graph>\n{workflow.source}\n</graph>{prompts}"
