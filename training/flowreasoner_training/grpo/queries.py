"""The queries of a training as rows of a dataset, and the environment of each row."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowreasoner.budget import Budget
from flowreasoner.designers import Workbench
from flowreasoner.errors import QueryError
from flowreasoner.reward import TERMS, Reward
from flowreasoner_training.grpo.environment import DesignEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable

    from flowreasoner.models import ChatModel
    from flowreasoner.operators import Operator
    from flowreasoner.query import Query
    from flowreasoner.reward import RewardTerm
    from flowreasoner.sandbox import Sandbox
    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["QueryRows"]


@dataclass
class QueryRows:
    """What the policy is trained on.

    Args:
        recipe: Budget, evaluations and reward.
        queries: With feedback tests or a metric; hidden tests are not used.
        worker: Gives the worker for a query.
        sandbox: Runs code.
        operators: What workflows may call.
        terms: Known reward terms.

    Raises:
        QueryError: If a query has nothing to judge answers by, or a weighted reward term is not known.
    """

    recipe: Recipe
    queries: Sequence[Query]
    worker: Callable[[Query], ChatModel]
    sandbox: Sandbox
    operators: Mapping[str, Operator]
    terms: Mapping[str, RewardTerm] = field(default_factory=lambda: TERMS)

    def __post_init__(self) -> None:
        for query in self.queries:
            if query.feedback is None and query.metric is None:
                raise QueryError(
                    f"query {query.id!r} has neither feedback tests nor a metric, so that no round can be rewarded; "
                    "give it tests, or divide those it has with queries.tests"
                )
        self.reward = Reward(self.recipe.rewards.weights, self.terms)
        self._benches: dict[int, Workbench] = {}

    @property
    def weighted_terms(self) -> tuple[str, ...]:
        """Names of the reward's terms that have a weight."""
        return tuple(name for name, weight in self.reward.weights.items() if weight)

    def order(self) -> list[int]:
        """Returns the index of each query in the order of training: pass after pass, each one shuffled anew.

        Laid out in advance, so that a resumed training goes on in the same order, in whichever pass it stopped. The
        number is one of whole steps.
        """
        settings, order = self.recipe.grpo, list[int]()
        wanted = int(len(self.queries) * settings.epochs)
        if settings.max_steps is not None:
            wanted = min(wanted, -(-settings.max_steps // settings.iterations) * settings.queries_per_step)
        wanted -= wanted % settings.queries_per_step
        for epoch in range(-(-wanted // len(self.queries))):
            draw = random.Random(f"{self.recipe.seed}/order/{epoch}")  # noqa: S311 - reproducible on purpose
            order += draw.sample(range(len(self.queries)), len(self.queries))
        return order[:wanted]

    def rows(self) -> list[dict[str, Any]]:
        """Returns a row per query: the conversation that asks for the first workflow, and the query's index."""
        rows = []
        for index in range(len(self.queries)):
            messages = self.environment({"query": index}, "").messages
            prompt = [{"role": message.role, "content": message.content} for message in messages]
            rows.append({"prompt": prompt, "query": index})
        return rows

    def environment(self, row: Mapping[str, Any], draws: str) -> DesignEnvironment:
        """Returns a new environment for a row.

        Args:
            row: Of the dataset.
            draws: Seed of the worker's draws.
        """
        query = self.queries[row["query"]]
        return DesignEnvironment(query, self._bench(query), self.reward, self.recipe.grpo_evaluations, draws)

    def _bench(self, query: Query) -> Workbench:
        """Returns the bench of a query's worker, which is one for all unless workers are simulated."""
        worker = self.worker(query)
        bench = self._benches.get(id(worker))
        if bench is None:
            budget = Budget(calls=self.recipe.worker.calls)
            bench = Workbench(worker, worker, self.sandbox, self.operators, budget, seed=self.recipe.seed)
            self._benches[id(worker)] = bench
        return bench
