"""The multi-purpose reward of a round (§1, §4.2): performance, complexity, diversity, efficiency.

``r_j = w_p * performance + w_c * (1 - complexity) + w_d * diversity + w_e * efficiency``

Each term is a plain function of a round and the rounds before it. A term that cannot be scored is None and
leaves its weight out, it is never 0.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from flowreasoner.errors import QueryError
from flowreasoner.workflow import complexity

if TYPE_CHECKING:
    from flowreasoner.budget import Budget
    from flowreasoner.designers import Round
    from flowreasoner.workflow import Program

__all__ = ["TERMS", "Reward", "RewardContext", "RewardTerm", "diversity", "efficiency", "performance", "simplicity"]

SAME_CLUSTER = 0.9
"""Similarity of normalised syntax trees from which two workflows count as the same solution strategy."""


@dataclass(frozen=True, slots=True)
class RewardContext:
    """What a term may look at besides the round.

    Attributes:
        earlier: The trajectory's earlier rounds, in order.
        budget: Limits of one run, for efficiency.
    """

    earlier: Sequence[Round] = ()
    budget: Budget | None = None


RewardTerm = Callable[["Round", RewardContext], float | None]
"""A term: a number in [0, 1], the higher the better, or None when it cannot be scored."""


def performance(item: Round, _: RewardContext) -> float:
    """Returns the mean pass rate of the round's evaluations; 0 for a refused workflow."""
    return item.score


def simplicity(item: Round, _: RewardContext) -> float | None:
    """Returns 1 minus the syntax tree's complexity; None for a refused workflow."""
    return None if item.workflow is None else 1.0 - complexity(item.workflow.program).score


def diversity(item: Round, context: RewardContext) -> float | None:
    """Returns the distinctness of a round (Chen et al. 2024): 1 if its workflow is in no earlier round's cluster.

    None for a refused workflow.
    """
    if item.workflow is None:
        return None
    shape = _shape(item.workflow.program)
    for other in context.earlier:
        if other.workflow is not None and _similarity(shape, _shape(other.workflow.program)) >= SAME_CLUSTER:
            return 0.0
    return 1.0


def efficiency(item: Round, context: RewardContext) -> float | None:
    """Returns the share of a run's budget that was left over, over the limits that are set; None without any."""
    runs = len(item.feedback.evaluations)
    if context.budget is None or not runs:
        return None
    spent = item.feedback.spent
    used = {"calls": spent.calls, "tokens": spent.tokens, "usd": spent.usd}
    limits = {name: getattr(context.budget, name) for name in used}
    shares = [min(1.0, used[name] / runs / limit) for name, limit in limits.items() if limit]
    return 1.0 - sum(shares) / len(shares) if shares else None


TERMS: Mapping[str, RewardTerm] = MappingProxyType(
    {"performance": performance, "simplicity": simplicity, "diversity": diversity, "efficiency": efficiency}
)
"""The built-in terms by name."""


@dataclass(frozen=True)
class Reward:
    """A weighted sum of terms.

    Attributes:
        weights: Weight by term.
        terms: Known terms by name.
    """

    weights: Mapping[str, float] = field(
        default_factory=lambda: {"performance": 1.0, "simplicity": 0.1, "diversity": 0.1, "efficiency": 0.0}
    )
    terms: Mapping[str, RewardTerm] = field(default_factory=lambda: TERMS)

    def __post_init__(self) -> None:
        unknown = self.weights.keys() - self.terms.keys()
        if unknown:
            known = ", ".join(sorted(self.terms))
            raise QueryError(f"there is no reward term {sorted(unknown)[0]!r}; known are {known}")

    def scores(self, item: Round, context: RewardContext) -> dict[str, float | None]:
        """Returns each weighted term's value."""
        return {name: self.terms[name](item, context) for name, weight in self.weights.items() if weight}

    def total(self, item: Round, context: RewardContext) -> float:
        """Returns the reward r_j of a round."""
        scores = self.scores(item, context)
        return sum(self.weights[name] * value for name, value in scores.items() if value is not None)


def _shape(program: Program) -> list[str]:
    """Returns the node types and operators of a program in order, without names, constants and prompts."""
    shape: list[str] = []
    for method in program.methods:
        for node in method.walk():
            if isinstance(node, ast.Attribute) and node.attr in program.bindings:
                shape.append(program.bindings[node.attr])
            elif isinstance(node, ast.stmt | ast.Call | ast.BoolOp | ast.Compare | ast.comprehension):
                shape.append(type(node).__name__)
    return shape


def _similarity(first: list[str], second: list[str]) -> float:
    return difflib.SequenceMatcher(None, first, second, autojunk=False).ratio()
