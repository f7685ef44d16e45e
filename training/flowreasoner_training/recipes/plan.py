"""What a recipe comes to before anything starts: steps, rollouts, tokens, calls of the worker, US dollars, memory."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flowreasoner.errors import RecipeError
from flowreasoner.models import ModelURI
from flowreasoner.models.pricing import Price, price_of
from flowreasoner_training.recipes.architecture import Architecture, architecture_of, counted_parameters
from flowreasoner_training.recipes.checks import processes
from flowreasoner_training.recipes.memory import MemoryPlan, server_memory, training_memory
from flowreasoner_training.recipes.schema import NanoSettings

if TYPE_CHECKING:
    from flowreasoner_plugins.manager import Plugins
    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["STAGES", "Assumptions", "Plan", "StagePlan", "make_plan"]

StageName = Literal["worker", "distill", "sft", "grpo"]
STAGES: tuple[StageName, ...] = ("distill", "sft", "grpo")
_PRICED = {"openai", "deepseek", "openrouter"}
_OWN = {"embedded", "hf", "nano", "ollama", "sim", "vllm"}  # they cost the machine they run on


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is not known before: averages, in calls and tokens.

    Attributes:
        calls_per_run: Operator calls of one run of a workflow.
        call_input: Tokens that the worker reads per call.
        call_output: Tokens that it writes per call.
        prompt: Tokens of a design run's instruction and query.
        reply: Tokens that a meta-agent writes per round, thoughts included.
        feedback: Tokens of one round's feedback.
    """

    calls_per_run: float = 5.0
    call_input: int = 800
    call_output: int = 400
    prompt: int = 2_500
    reply: int = 1_500
    feedback: int = 300

    @classmethod
    def of(cls, recipe: Recipe) -> Assumptions:
        """Returns what is assumed of a recipe: small models read and write less."""
        if recipe.nano is None:
            return cls()
        return cls(call_input=100, call_output=30, prompt=600, reply=250, feedback=150)


@dataclass(frozen=True, slots=True)
class StagePlan:
    """One stage.

    Attributes:
        name: Which one.
        counts: What is done how often, by name.
        usd: US dollars by model, None where its price is not known.
        memory: Memory of one GPU that trains; None for distillation.
    """

    name: StageName
    counts: dict[str, int]
    usd: dict[str, float | None]
    memory: MemoryPlan | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns the stage as a JSON object."""
        memory = None if self.memory is None else self.memory.to_json()
        return {"name": self.name, "counts": self.counts, "usd": self.usd, "memory": memory}


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
        "worker": lambda: _worker(recipe),
        "distill": lambda: _distill(recipe, queries, assumed),
        "sft": lambda: _sft(recipe, queries, parameters, shape),
        "grpo": lambda: _grpo(recipe, queries, parameters, shape, assumed),
    }
    served = recipe.hardware.generation == "vllm-server" and "grpo" in stages and parameters is not None
    server = server_memory(recipe, parameters, shape) if served and parameters is not None else None
    if recipe.nano is not None and "distill" in stages:
        stages = ("worker", *stages)  # which is made first, of nothing
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


def _worker(recipe: Recipe) -> StagePlan:
    """Plans the worker of the miniature."""
    settings = recipe.nano or NanoSettings()
    counts = {"lessons": settings.lessons, "parameters": Architecture.of_nano(settings.worker).parameters}
    return StagePlan("worker", counts, {})


def _distill(recipe: Recipe, queries: int, assumed: Assumptions) -> StagePlan:
    """Plans the distillation, as if no run stopped early: an upper bound on rounds."""
    settings = recipe.distill
    runs = queries * settings.trajectories
    rounds = runs * settings.rounds
    # Each round reads the conversation so far, without the teacher's earlier thoughts, which providers leave out
    # or not: counted as read.
    earlier = (assumed.reply + assumed.feedback) * (settings.rounds - 1) / 2
    read, written = round(rounds * (assumed.prompt + earlier)), rounds * assumed.reply
    counts = {
        "design runs": runs,
        "rounds, at most": rounds,
        "teacher tokens read": read,
        "teacher tokens written": written,
    }
    counts |= _worker_counts(recipe, rounds, assumed)
    usd = {settings.teacher: _usd(settings.teacher, read, written), **_worker_usd(recipe, counts)}
    return StagePlan("distill", counts, usd)


def _sft(recipe: Recipe, queries: int, parameters: float | None, shape: Architecture | None) -> StagePlan:
    """Plans the fine-tuning, as if every distilled trajectory were kept: an upper bound on steps."""
    settings = recipe.sft
    items = queries * recipe.distill.trajectories
    batch = settings.batch_size * settings.accumulation * processes(recipe)
    steps = math.ceil(math.ceil(items / batch) * settings.epochs)
    counts = {"trajectories, at most": items, "trajectories per step": batch, "optimizer steps": steps}
    memory = None if parameters is None else training_memory(recipe, "sft", parameters, shape)
    return StagePlan("sft", counts, {}, memory)


def _grpo(
    recipe: Recipe, queries: int, parameters: float | None, shape: Architecture | None, assumed: Assumptions
) -> StagePlan:
    """Plans the reinforcement learning; the queries that fill no batch are left out of an epoch."""
    settings = recipe.grpo
    steps = math.ceil(queries // settings.queries_per_step * settings.iterations * settings.epochs)
    if settings.max_steps is not None:
        steps = min(steps, settings.max_steps)
    batches = math.ceil(steps / settings.iterations)
    rollouts = batches * settings.queries_per_step * settings.group_size
    rounds = rollouts * settings.rounds
    reply = min(assumed.reply, settings.round_tokens)
    counts = {
        "optimizer steps": steps,
        "rollouts": rollouts,
        "rollouts per step": settings.queries_per_step * settings.group_size,
        "rounds": rounds,
        "tokens sampled": rounds * reply,
        "tokens sampled, at most": rounds * settings.round_tokens,
    }
    counts |= _worker_counts(recipe, rounds, assumed)
    memory = None if parameters is None else training_memory(recipe, "grpo", parameters, shape)
    return StagePlan("grpo", counts, _worker_usd(recipe, counts), memory)


def _worker_counts(recipe: Recipe, rounds: int, assumed: Assumptions) -> dict[str, int]:
    runs = rounds * recipe.worker.evaluations
    calls = round(runs * min(assumed.calls_per_run, recipe.worker.calls))
    return {
        "runs of workflows": runs,
        "worker calls": calls,
        "worker calls, at most": runs * recipe.worker.calls,
        "worker tokens read": calls * assumed.call_input,
        "worker tokens written": calls * assumed.call_output,
    }


def _worker_usd(recipe: Recipe, counts: dict[str, int]) -> dict[str, float | None]:
    worker = recipe.worker.model
    return {worker: _usd(worker, counts["worker tokens read"], counts["worker tokens written"])}


def _usd(uri: str, read: int, written: int) -> float | None:
    """Returns the dollars for tokens of a model; None where its price is not known."""
    parsed = ModelURI.parse(uri)
    if "price" in parsed.options:
        return Price.parse(parsed.options["price"]).of(read, written)
    if parsed.scheme in _OWN:
        return 0.0
    price = price_of(parsed.name, parsed.scheme, parsed.options.get("base_url")) if parsed.scheme in _PRICED else None
    return None if price is None else price.of(read, written)
