"""What a recipe comes to before anything starts: steps, rollouts, tokens, calls of the worker, US dollars, memory."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import RecipeError
from flowreasoner_training.recipes.architecture import architecture_of, counted_parameters
from flowreasoner_training.recipes.memory import server_memory
from flowreasoner_training.recipes.stages import (
    STAGES,
    Assumptions,
    StageName,
    StagePlan,
    plan_distill,
    plan_grpo,
    plan_sft,
    plan_start,
    plan_worker,
)

if TYPE_CHECKING:
    from flowreasoner_plugins.manager import Plugins
    from flowreasoner_training.recipes.architecture import Architecture
    from flowreasoner_training.recipes.schema import Recipe
    from flowreasoner_training.recipes.sizes import MemoryPlan

__all__ = ["Plan", "make_plan"]

_MADE_BEFORE: dict[StageName, tuple[StageName, ...]] = {"distill": ("worker",), "sft": ("start",)}
"""Models that the miniature makes from nothing, by the stage that uses them first."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a recipe comes to.

    Attributes:
        recipe: The recipe.
        parameters: Of the model; None where they are not known.
        shape: Of the model; None where it is not known.
        stages: The stages that were asked for.
        server: Memory of one GPU of the vLLM server, if there is one.
        assumptions: What was assumed.
    """

    recipe: Recipe
    parameters: float | None
    shape: Architecture | None
    stages: tuple[StagePlan, ...]
    server: MemoryPlan | None
    assumptions: Assumptions

    @property
    def fits(self) -> bool:
        """Whether no stage is known not to fit."""
        plans = [stage.memory for stage in self.stages if stage.memory is not None]
        return all(plan.fits is not False for plan in [*plans, *([self.server] if self.server else [])])

    def to_json(self) -> dict[str, Any]:
        """Returns the plan as a JSON object."""
        return {
            "recipe": self.recipe.name,
            "parameters": self.parameters,
            "stages": [stage.to_json() for stage in self.stages],
            "server_memory": None if self.server is None else self.server.to_json(),
            "fits": self.fits,
            "assumptions": asdict(self.assumptions),
        }


def make_plan(
    recipe: Recipe,
    plugins: Plugins | None = None,
    stages: tuple[StageName, ...] = STAGES,
    assumptions: Assumptions | None = None,
) -> Plan:
    """Plans a training.

    Args:
        recipe: All settings.
        plugins: Where the benchmark is counted, where the recipe gives no number of queries.
        stages: The stages to plan.
        assumptions: What is not known before.

    Raises:
        RecipeError: If the number of queries is not to be had, or the model's shape cannot be read.
    """
    assumed = assumptions or Assumptions.of(recipe)
    shape = architecture_of(recipe)
    parameters = _parameters(recipe, shape)
    queries = _queries(recipe, plugins)
    makers = {
        "worker": lambda: plan_worker(recipe),
        "distill": lambda: plan_distill(recipe, queries, assumed),
        "start": lambda: plan_start(recipe),
        "sft": lambda: plan_sft(recipe, queries, parameters, shape),
        "grpo": lambda: plan_grpo(recipe, queries, parameters, shape, assumed),
    }
    served = recipe.hardware.generation == "vllm-server" and "grpo" in stages and parameters is not None
    server = server_memory(recipe, parameters, shape) if served and parameters is not None else None
    if recipe.nano is not None:
        stages = tuple(name for stage in stages for name in (*_MADE_BEFORE.get(stage, ()), stage))
    return Plan(recipe, parameters, shape, tuple(makers[stage]() for stage in stages), server, assumed)


def _parameters(recipe: Recipe, shape: Architecture | None) -> float | None:
    """Returns the model's parameters: counted, or as the recipe says, or as its shape has them."""
    folder = Path(recipe.model.name)
    if (folder / "config.json").is_file():
        try:
            return float(counted_parameters(folder))
        except ImportError:
            pass  # without the extra, the shape tells it to a thousandth
    if recipe.model.parameters is not None and recipe.nano is None:
        return recipe.model.parameters * 1e9
    return None if shape is None else float(shape.parameters)


def _queries(recipe: Recipe, plugins: Plugins | None) -> int:
    count, benchmark = recipe.queries.count, recipe.queries.benchmark
    if count is not None:
        return count
    if plugins is None:
        raise RecipeError(recipe.name, ["queries.count is not given, and there is no benchmark to count: give it"])
    return sum(1 for _ in plugins.pick("benchmarks", benchmark).queries(recipe.queries.data))
