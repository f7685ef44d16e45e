r"""What each workflow of the teacher's catalogue is worth at each depth, by the reward that GRPO is given.

    python benchmarks/miniature_workflows.py [--worker embedded:PATH] [--per-depth 20] [--evaluations 3] \
        [--weight simplicity=0.2] [--save benchmarks/results/miniature-workflows.json]

It tells what a meta-agent could learn: which workflow has the highest mean reward for queries of each depth, and by how
much. The queries are those that the recipe trains on, and each workflow's reply goes through GRPO's own environment.
"""

import argparse
import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from flowreasoner.errors import FlowReasonerError
from flowreasoner.query import Query
from flowreasoner.reward import TERMS
from flowreasoner_plugins.bench.tables import table
from flowreasoner_plugins.cli.inputs import make_sandbox
from flowreasoner_plugins.manager import load_plugins
from flowreasoner_plugins.model_source import ModelSource
from flowreasoner_training.grpo.queries import QueryRows
from flowreasoner_training.grpo.verdicts import GradedOnce
from flowreasoner_training.nano.catalogue import CATALOGUE, Blueprint
from flowreasoner_training.nano.teacher import reply_with
from flowreasoner_training.queries import training_queries
from flowreasoner_training.recipes import load_recipe
from flowreasoner_training.recipes.schema import Recipe

DEPTHS = (1, 2, 3, 4)


def weight(text: str) -> tuple[str, float]:
    """Reads ``TERM=WEIGHT``."""
    name, _, value = text.partition("=")
    if name not in TERMS:
        raise argparse.ArgumentTypeError(f"{name!r} is no term of the reward; there are {', '.join(TERMS)}")
    return name, float(value)


def options() -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", default="embedded:", help="URI of the worker (default embedded:)")
    parser.add_argument("--per-depth", type=int, default=20, help="queries of each depth (default 20)")
    parser.add_argument("--evaluations", type=int, default=3, help="runs of each workflow on each query (default 3)")
    parser.add_argument("--concurrency", type=int, default=12, help="queries at the same time (default 12)")
    parser.add_argument(
        "--weight", type=weight, action="append", default=[], metavar="TERM=WEIGHT", help="instead of the recipe's"
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the means there, as JSON")
    return parser.parse_args()


def depth_of(query: Query) -> int:
    """Returns how many steps a query asks for."""
    return int(query.metadata["depth"])


async def measure(given: argparse.Namespace, recipe: Recipe) -> dict[tuple[Blueprint, int], dict[str, float]]:
    """Returns the mean of each reward term by workflow and depth."""
    plugins = load_plugins()
    every = training_queries(recipe, plugins)
    chosen = [query for depth in DEPTHS for query in [q for q in every if depth_of(q) == depth][: given.per_depth]]
    source, sandbox = ModelSource(given.worker, "worker", plugins), make_sandbox(plugins, "best")
    rows = QueryRows(recipe, chosen, source.of, GradedOnce(sandbox), plugins.operators, plugins.reward_terms)
    gate = asyncio.Semaphore(given.concurrency)
    found: dict[tuple[Blueprint, int], list[Mapping[str, float | None]]] = defaultdict(list)

    async def tried(index: int, blueprint: Blueprint) -> None:
        async with gate:
            environment = rows.environment({"query": index}, f"catalogue/{index}")
            step = await environment.step(reply_with(blueprint, "as it is"))
        found[blueprint, depth_of(chosen[index])].append(step.terms)
        done = sum(map(len, found.values()))
        if done % 100 == 0:
            print(f"{done} of {len(chosen) * len(CATALOGUE)}", file=sys.stderr)

    try:
        await asyncio.gather(*(tried(index, item) for index in range(len(chosen)) for item in CATALOGUE))
    finally:
        await source.aclose()
        await sandbox.aclose()
    names = recipe.rewards.weights
    return {key: {name: fmean(terms[name] or 0.0 for terms in own) for name in names} for key, own in found.items()}


def main() -> None:
    """Measures, and prints a table of performances, and the best workflows of each depth."""
    given = options()
    recipe = load_recipe("miniature")
    weights = dict(recipe.rewards.weights) | dict(given.weight)
    update = {"grpo": recipe.grpo.model_copy(update={"evaluations": given.evaluations})}
    try:
        means = asyncio.run(measure(given, recipe.model_copy(update=update)))
    except FlowReasonerError as error:
        sys.exit(f"error: {error}")
    total = {key: sum(weights[name] * own[name] for name in weights) for key, own in means.items()}
    shown = [[item.words, *(f"{means[item, depth]['performance']:.2f}" for depth in DEPTHS)] for item in CATALOGUE]
    print(table(["performance at depth", *map(str, DEPTHS)], shown))
    rows: list[dict[str, Any]] = []
    for depth in DEPTHS:
        first, second = sorted(CATALOGUE, key=lambda item, at=depth: -total[item, at])[:2]  # type: ignore[misc]
        ahead = total[first, depth] - total[second, depth]
        print(f"depth {depth}: {first.words}; {ahead:.3f} ahead of: {second.words}")
        rows += [{"depth": depth, "workflow": item.words, **means[item, depth]} for item in CATALOGUE]
    if given.save is not None:
        settings = {"worker": given.worker, "per_depth": given.per_depth, "evaluations": given.evaluations}
        given.save.write_text(json.dumps({**settings, "weights": weights, "means": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
