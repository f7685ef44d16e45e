"""The drafting: the planner proposes, the observers of agents and of the plan suggest, a bounded number of times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowreasoner.baselines.autoagents import instructions
from flowreasoner.baselines.autoagents.draft import FALLBACK, DraftUnreadable, read_draft
from flowreasoner.baselines.autoagents.team import turns_within
from flowreasoner.budget import Spending
from flowreasoner.models.base import Message
from flowreasoner.operators.replies import without_thoughts

if TYPE_CHECKING:
    from flowreasoner.baselines.autoagents.draft import Draft
    from flowreasoner.designers import Workbench
    from flowreasoner.query import Query

__all__ = ["Planning"]

_LONGEST_SUGGESTIONS = 12_000
_LONGEST_DRAFT = 40_000


@dataclass
class Planning:
    """One query's drafting.

    Attributes:
        query: What is asked.
        bench: Its meta-agent plays planner and observers.
        drafts: Most drafts.
        messages: All that was asked and answered.
        notes: What went wrong, as sentences.
        spent: What the replies cost.
    """

    query: Query
    bench: Workbench
    drafts: int
    messages: list[Message] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    spent: Spending = field(default_factory=Spending)

    async def run(self) -> Draft:
        """Returns the last draft that could be used, or the fallback team.

        Raises:
            ModelError: If the meta-agent cannot be used.
            BudgetExceeded: If the budget ends.
        """
        chosen, history, said = None, "", {"experts": "", "plan": ""}
        for number in range(1, self.drafts + 1):
            drafted = await self._draft(number, history)
            if drafted is None:
                break
            chosen, text = drafted
            if number == self.drafts:  # what observers say of the last draft could change nothing
                break
            new = {part: await self._observe(part, number, text, said[part]) for part in said}
            if not any(new.values()):
                break
            said = {part: f"{said[part]}\n\n{new[part]}".strip()[-_LONGEST_SUGGESTIONS:] for part in said}
            suggestions = "\n\n".join(filter(None, new.values()))
            history = instructions.HISTORY.format(draft=text, suggestions=suggestions)
        if chosen is None:
            self.notes.append("The planner drafted no team that could be used; a fallback team takes its place.")
        return chosen or FALLBACK

    async def _draft(self, number: int, history: str) -> tuple[Draft, str] | None:
        """Asks for a draft; one that cannot be used is asked for once more, with the reason."""
        calls = self.bench.budget.calls
        limit = "they cost money." if calls is None else f"at most {calls} calls may be made in all."
        asked = instructions.PLAN.format(task=self._task, limit=limit, history=history)
        messages: tuple[Message, ...] = (Message("user", asked),)
        for attempt in range(2):
            text = await self._ask(messages, f"draft{number}.{attempt}")
            try:
                draft = read_draft(text)
                if not turns_within(draft, 1, bool(self.query.entry_point), calls):
                    raise DraftUnreadable(f"the plan takes more than the {calls} calls that may be made; shorten it")
            except DraftUnreadable as problem:
                self.notes.append(f"Draft {number} could not be used: {problem}.")
                correction = Message("user", instructions.UNREADABLE.format(reason=problem))
                messages = (*messages, Message("assistant", text), correction)
            else:
                return draft, without_thoughts(text)[-_LONGEST_DRAFT:]
        return None

    async def _observe(self, part: str, number: int, draft: str, history: str) -> str:
        """Returns what an observer suggests; nothing where it has no suggestions, or gives no answer."""
        template = instructions.OBSERVE_EXPERTS if part == "experts" else instructions.OBSERVE_PLAN
        asked = template.format(task=self._task, draft=draft, history=history or "None.")
        text = without_thoughts(await self._ask((Message("user", asked),), f"observe-{part}{number}"))
        return "" if "no suggestions" in text.lower() else text[:_LONGEST_SUGGESTIONS]

    @property
    def _task(self) -> str:
        defines = f"\n\nThe answer must define `{self.query.entry_point}`." if self.query.entry_point else ""
        return self.query.problem.strip() + defines

    async def _ask(self, messages: tuple[Message, ...], label: str) -> str:
        completion = await self.bench.ask_meta_agent(messages, f"{self.bench.seed}/autoagents/{label}")
        self.spent += completion.spending
        self.messages += [messages[-1], Message("assistant", completion.text)]
        return completion.text
