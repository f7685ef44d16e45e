"""What every designer gives: rounds and the best of them. FlowReasoner and all baselines share this."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from flowreasoner.budget import Spending
from flowreasoner.errors import FlowReasonerError
from flowreasoner.feedback import Feedback
from flowreasoner.models.base import Message
from flowreasoner.workflow import complexity

if TYPE_CHECKING:
    from flowreasoner.designers.workbench import Workbench
    from flowreasoner.query import Query
    from flowreasoner.workflow import Workflow

__all__ = ["Design", "Designer", "Round", "StopReason", "select_best"]

StopReason = Literal["perfect", "rounds", "budget"]


@dataclass(frozen=True)
class Round:
    """One round: what the meta-agent thought and designed, and how it went.

    Attributes:
        number: 1-based.
        reasoning: The meta-agent's thoughts.
        modification: What it changed, in its own words.
        workflow: The workflow, or None when it was refused.
        graph: Text of the workflow as it was written.
        prompt: Text of the prompts as they were written.
        feedback: What evaluating it showed.
        turns: Messages of the round: replies, and diagnostics between them.
        spent: Cost of the meta-agent's replies; the evaluations' is in the feedback.
    """

    number: int
    reasoning: str
    modification: str
    workflow: Workflow | None
    graph: str
    prompt: str
    feedback: Feedback
    turns: tuple[Message, ...] = ()
    spent: Spending = field(default_factory=Spending)

    @property
    def score(self) -> float:
        """Mean score of the round's evaluations."""
        return self.feedback.score

    @property
    def cost(self) -> Spending:
        """What the round cost: meta-agent and evaluations."""
        return self.spent + self.feedback.spent

    @property
    def repairs(self) -> tuple[str, ...]:
        """What the checker repaired in the workflow."""
        return () if self.workflow is None else self.workflow.repairs

    def to_json(self) -> dict[str, Any]:
        """Returns the round as the store keeps it."""
        return {
            "number": self.number,
            "reasoning": self.reasoning,
            "modification": self.modification,
            "graph": self.graph,
            "prompt": self.prompt,
            "feedback": self.feedback.to_json(),
            "turns": [[turn.role, turn.content] for turn in self.turns],
            "spent": self.spent.to_json(),
        }

    def to_summary(self) -> dict[str, Any]:
        """Returns the round as ``flowreasoner solve --json`` lists it."""
        feedback = self.feedback
        return {
            "number": self.number,
            "score": self.score,
            "scores": [evaluation.score for evaluation in feedback.evaluations],
            "modification": self.modification,
            "failure": feedback.complaint,
            "workflow": self.graph if self.workflow is None else self.workflow.source,
            "valid": self.workflow is not None,
            "cost": self.cost.to_json(),
            "diagnostics": [diagnostic.to_json() for diagnostic in feedback.diagnostics],
            "repairs": list(self.repairs),
            "errors": [evaluation.error for evaluation in feedback.evaluations if evaluation.error],
            "dropped": list(feedback.dropped),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any], workflow: Workflow | None) -> Round:
        """Reads what `to_json` wrote; the workflow is checked anew by the caller."""
        fields = {name: value[name] for name in ("number", "reasoning", "modification", "graph", "prompt")}
        return cls(
            **fields,
            workflow=workflow,
            feedback=Feedback.from_json(value["feedback"]),
            turns=tuple(Message(role, content) for role, content in value["turns"]),
            spent=Spending.from_json(value["spent"]),
        )


def select_best(rounds: list[Round]) -> Round | None:
    """Returns the best round (Eq. 5): highest mean score, then the cheapest, simplest and earliest.

    Cheaper means fewer dollars, then fewer operator calls. Rounds without an answer are left out.
    """
    answered = [item for item in rounds if item.feedback.best is not None and item.workflow is not None]
    return min(answered, key=_rank, default=None)


def _rank(item: Round) -> tuple[float, ...]:
    runs = max(1, len(item.feedback.evaluations))
    spent = item.feedback.spent
    assert item.workflow is not None  # noqa: S101 - only answered rounds are ranked
    raw = complexity(item.workflow.program).raw
    return (-item.score, spent.usd / runs, spent.calls / runs, raw, item.number)


@dataclass(frozen=True, repr=False)
class Design:
    """A finished design run.

    Attributes:
        query: The query, with the tests that were used.
        rounds: All rounds.
        best: The chosen round.
        meta_agent: Name of the meta-agent's model.
        worker: Name of the worker's model.
        simulated_models: Which of ``meta_agent`` and ``worker`` were simulated.
        stopped: Why no further round was made.
        hidden_score: Share of the hidden tests that the answer passes; None without hidden tests.
        hidden_passed: Whether it passes all of them; None without hidden tests.
        seconds: Wall-clock time of this session; a resumed run counts from the resumption.
        run: Id in the store, or empty.
        tier: Where code ran.
        isolated: Whether that tier isolates.
        extra: What was spent outside the rounds: on written tests, and on runs that were not finished.
    """

    query: Query
    rounds: tuple[Round, ...]
    best: Round
    meta_agent: str
    worker: str
    simulated_models: tuple[str, ...]
    stopped: StopReason
    hidden_score: float | None = None
    hidden_passed: bool | None = None
    seconds: float = 0.0
    run: str = ""
    tier: str = ""
    isolated: bool = False
    extra: Spending = field(default_factory=Spending)

    def __repr__(self) -> str:
        made = f"{len(self.rounds)} round{'s' * (len(self.rounds) != 1)}"
        return f"<Design of {self.query.id!r}: score {self.score:.2f} after {made}, best is round {self.best.number}>"

    @property
    def simulated(self) -> bool:
        """Whether a model was simulated."""
        return bool(self.simulated_models)

    @property
    def answer(self) -> str:
        """The best round's best answer."""
        evaluation = self.best.feedback.best
        return "" if evaluation is None else evaluation.answer or ""

    @property
    def workflow(self) -> Workflow:
        """The best workflow."""
        if self.best.workflow is None:
            raise FlowReasonerError("the design has no workflow")
        return self.best.workflow

    @property
    def score(self) -> float:
        """The final score: on the hidden tests where there are any, else on the feedback tests."""
        return self.best.score if self.hidden_score is None else self.hidden_score

    @property
    def cost(self) -> Spending:
        """What the whole design cost."""
        return sum((item.cost for item in self.rounds), self.extra)

    def to_json(self) -> dict[str, Any]:
        """Returns the design as the object that ``flowreasoner solve --json`` prints."""
        cost = self.cost
        return {
            "run": self.run,
            "query": self.query.id,
            "answer": self.answer,
            "score": self.score,
            "feedback_score": self.best.score,
            "answer_feedback_score": 0.0 if self.best.feedback.best is None else self.best.feedback.best.score,
            "hidden_score": self.hidden_score,
            "hidden_passed": self.hidden_passed,
            "tests": self.query.policy,
            "leaky": self.query.leaky,
            "best_round": self.best.number,
            "stopped": self.stopped,
            "workflow": self.workflow.source,
            "prompts": dict(self.workflow.prompts),
            "rounds": [item.to_summary() for item in self.rounds],
            "models": {"meta_agent": self.meta_agent, "worker": self.worker},
            "simulated": self.simulated,
            "simulated_models": list(self.simulated_models),
            "cost_usd": cost.usd,
            "unpriced_calls": cost.unpriced_calls,
            "cached_usd": cost.cached_usd,
            "calls": cost.model_calls,
            "cached_calls": cost.cached_calls,
            "operator_calls": cost.calls,
            "tokens": cost.tokens,
            "seconds": self.seconds,
            "sandbox": {"tier": self.tier, "isolated": self.isolated},
        }


class Designer(Protocol):
    """Anything that turns a query into a workflow: FlowReasoner itself, and every baseline.

    Attributes:
        name: Short name, e.g. ``flowreasoner``.
    """

    @property
    def name(self) -> str:
        """Short name."""
        ...

    async def design(self, query: Query, bench: Workbench) -> Design:
        """Designs a workflow for a query.

        Args:
            query: What is asked, with tests.
            bench: Models, sandbox, budget and everything else to work with.

        Raises:
            ModelError: If a model cannot be used.
            BudgetExceeded: If the budget ends before any workflow gave an answer.
        """
        ...
