"""The paper's Table 1 in one word: what ``flowreasoner bench table1`` stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import QueryError
from flowreasoner_plugins.cli.inputs import uses_pair

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowreasoner_plugins.manager import Plugins

__all__ = ["BENCHMARKS", "METHODS", "MINIATURE", "WORD", "Miniature", "stands_for"]

WORD = "table1"

BENCHMARKS = ("bigcodebench-test", "humaneval-test", "mbpp-test")
"""The table's benchmarks, without the parts that methods are fitted on."""

METHODS = (
    *("vanilla", "cot", "self-refine", "llm-debate", "llm-blender"),
    *("autoagents", "adas", "aflow", "maas", "scoreflow", "flowreasoner"),
)
"""The table's methods in its order. ScoreFlow takes part where it is said which generator it fine-tunes."""


@dataclass(frozen=True)
class Miniature:
    """How large the table in miniature is: what fits into minutes of fitting on two CPU cores.

    Attributes:
        seeds: Attempts at each query.
        fit_seeds: Times that each method is fitted.
        fit_first: Training queries.
        methods: Settings of the searches and trainings, where the published ones would take hours.
    """

    seeds: int = 3
    fit_seeds: int = 3
    fit_first: int = 20
    methods: tuple[str, ...] = (
        "aflow.max_rounds=8",  # published: 20
        "aflow.validation_rounds=1",  # published: 5
        "adas.generations=6",  # published: 30
        "adas.debug=1",  # published: 3
        "scoreflow.iterations=1",  # published: 2 or more
        "scoreflow.workflows=4",  # published: 8
        "scoreflow.evaluations=1",  # published: 3
        "scoreflow.pairs=80",  # published: 600 for HumanEval
    )


MINIATURE = Miniature()
"""MaAS is trained as published, its four passes over the queries being short enough."""


def stands_for(
    benchmarks: Sequence[str], given: Mapping[str, Any], chosen: frozenset[str], plugins: Plugins, *, miniature: bool
) -> dict[str, Any]:
    """Returns the parameters that the word stands for, where the command line does not choose others.

    Args:
        benchmarks: As given on the command line.
        given: All parameters of the command, by name.
        chosen: Names of those that are on the command line.
        plugins: Where methods come from.
        miniature: Whether the table is made in miniature.

    Returns:
        The parameters by name; nothing if the word is not there.

    Raises:
        QueryError: If the word does not stand alone, or models are chosen that know nothing of the table's benchmarks.
    """
    if WORD not in benchmarks:
        if miniature:
            raise QueryError(f"--miniature is for {WORD} only: flowreasoner bench {WORD} --miniature")
        return {}
    if len(benchmarks) > 1:
        raise QueryError(f"{WORD} stands for benchmarks of its own; name others in a bench of their own")
    set_already = {item.partition("=")[0] for item in given["method_settings"]}
    offered = [name for name in METHODS if name in plugins.designers or name in plugins.methods]
    if "scoreflow.generator" not in set_already and not miniature:
        offered.remove("scoreflow")  # what it fine-tunes is not known
    designers = tuple(given["designers"]) if "designers" in chosen else tuple(offered)
    own: dict[str, Any] = {"benchmarks": ("miniature",) if miniature else BENCHMARKS, "designers": designers}
    if miniature:
        scaled = [item for item in MINIATURE.methods if item.partition("=")[0] not in set_already]
        scaled = [item for item in scaled if item.partition(".")[0] in designers]
        own |= {
            "small": True,
            "workers": ("embedded:",),
            "meta_agent": "embedded:",
            "seeds": MINIATURE.seeds,
            "fit_seeds": MINIATURE.fit_seeds,
            "fit_first": MINIATURE.fit_first,
            "method_settings": (*scaled, *given["method_settings"]),
        }
        always = {"benchmarks", "method_settings"}
    else:
        if uses_pair(given["meta_agent"], *given["workers"]):
            raise QueryError(
                f"the embedded models know none of {WORD}'s benchmarks; name others with --worker and --meta-agent, "
                f"or make the table in miniature: flowreasoner bench {WORD} --miniature"
            )
        always = {"benchmarks"}
    return {name: value for name, value in own.items() if name in always or name not in chosen}
