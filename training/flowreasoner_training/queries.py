"""The queries that a recipe trains on, from the benchmarks of all plugins."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING

from flowreasoner.errors import QueryError

if TYPE_CHECKING:
    from flowreasoner.query import Query
    from flowreasoner_plugins import Plugins
    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["training_queries"]


def training_queries(recipe: Recipe, plugins: Plugins) -> list[Query]:
    """Returns a recipe's queries with feedback and hidden tests, in the benchmark's order.

    Queries that the policy cannot divide, as they have no examples or too few tests, are left out with a warning.

    Args:
        recipe: Names benchmark, data, policy and count; its seed decides the draw and the division.
        plugins: Where benchmarks come from.

    Raises:
        PluginError: If there is no such benchmark.
        QueryError: If its data cannot be read, or no query is left.
    """
    settings = recipe.queries
    benchmark = plugins.pick("benchmarks", settings.benchmark)
    divided: list[Query] = []
    refused = ""
    every = list(benchmark.queries(settings.data))
    for query in every:
        try:
            divided.append(_divided(query, recipe))
        except QueryError as error:
            refused = refused or str(error)
    if not divided:
        raise QueryError(f"the benchmark {settings.benchmark!r} has no query to train on{refused and f': {refused}'}")
    if refused:
        left_out = len(every) - len(divided)
        logging.getLogger(__name__).warning("%d of %d queries are left out: %s", left_out, len(every), refused)
    if settings.count is None or settings.count >= len(divided):
        return divided
    draw = random.Random(f"{recipe.seed}/queries")  # noqa: S311 - reproducible on purpose
    return [divided[index] for index in sorted(draw.sample(range(len(divided)), settings.count))]


def _divided(query: Query, recipe: Recipe) -> Query:
    policy = recipe.queries.tests
    if policy is None and query.feedback is None and query.hidden is not None:
        policy = "split"  # a benchmark's item comes with one set of tests
    return query if policy is None else query.with_policy(policy, seed=recipe.seed)
