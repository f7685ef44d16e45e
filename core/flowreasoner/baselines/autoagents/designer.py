"""AutoAgents as a designer: the drafted team becomes a workflow of our own language, and is evaluated like any."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from flowreasoner.baselines.autoagents.planning import Planning
from flowreasoner.baselines.autoagents.team import operators_team, team_graph, team_prompts, turns_within
from flowreasoner.baselines.one_round import design_in_one_round, proposal_of
from flowreasoner.baselines.words import MINIATURE, Words
from flowreasoner.errors import QueryError
from flowreasoner.text import shorten

if TYPE_CHECKING:
    from flowreasoner.designers import Design, Workbench
    from flowreasoner.designers.proposal import Proposal
    from flowreasoner.query import Query

__all__ = ["AutoAgents"]


@dataclass(frozen=True)
class AutoAgents:
    """AutoAgents (Chen et al. 2023, §3; github Link-AGI/AutoAgents), without fitting and in one round.

    As published: a planner drafts experts and a plan for the query; an observer of the agents and one of the plan
    suggest improvements, and the planner drafts anew, three times at most, until neither has any. The plan is then
    executed step by step, each step's experts refining its result in up to five turns, alone or together, and the
    results are passed on to all later steps.

    What departs: the action observer, which the published code has pass everything on in the plan's order, is the
    workflow's own control flow. Experts have no tools, as the product's operators are what a worker may use. The
    observers do not check the last draft, which nothing would come of. A run's budget of calls may leave a step fewer
    turns. Where code is asked for, one more call writes the program from the results. A draft that cannot be used is
    asked for once more with the reason; after that the last usable one counts, or else a fallback team (analyst,
    solver, language expert), and the round's reasoning says so.

    Attributes:
        drafts: Most drafts of team and plan.
        turns: Most turns of each expert at a step.
        evaluations: Runs of the workflow.
        wording: With ``operators``, the meta-agent is not asked, and its part is played by the operators that the
            embedded worker knows from training, as a fixed team: plan, code, review, revision, test. This is what is
            left of AutoAgents where models are too small to draft roles; no more is claimed for it.
        words: What the worker is told in that fixed team.
        name: What it is called.
    """

    drafts: int = 3
    turns: int = 5
    evaluations: int = 1
    wording: Literal["published", "operators"] = "published"
    words: Words = MINIATURE
    name: str = "autoagents"

    def __post_init__(self) -> None:
        for item in ("drafts", "turns", "evaluations"):
            if getattr(self, item) < 1:
                raise QueryError(f"{item} must be at least 1, got {getattr(self, item)!r}")

    async def design(self, query: Query, bench: Workbench) -> Design:
        """Designs a workflow for a query; see `flowreasoner.designers.Designer.design`."""

        async def propose(query: Query) -> Proposal:
            if self.wording == "published":
                return await self._propose(query, bench)
            graph, prompts = operators_team(self.words, query.feedback is not None)
            return proposal_of("A fixed team: plan, code, review, revision, test.", graph, prompts, bench)

        return await design_in_one_round(query, bench, propose, self.evaluations)

    async def _propose(self, query: Query, bench: Workbench) -> Proposal:
        planning, code = Planning(query, bench, self.drafts), bool(query.entry_point)
        draft = await planning.run()
        turns = max(1, turns_within(draft, self.turns, code, bench.budget.calls))
        names = ", ".join(expert.name for expert in draft.experts)
        told = shorten(f"A team of {names}, and a plan of {len(draft.steps)} steps.", 500)
        made = proposal_of(told, team_graph(draft, turns, code), team_prompts(draft, code), bench)
        return replace(made, turns=planning.messages, thoughts=planning.notes, spent=planning.spent)
