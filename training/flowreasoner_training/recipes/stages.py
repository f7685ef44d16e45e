"""What each stage of a training comes to: how often what is done, and for how many US dollars."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from flowreasoner.models import ModelURI
from flowreasoner.models.pricing import Price, price_of
from flowreasoner_training.recipes.architecture import Architecture
from flowreasoner_training.recipes.checks import processes
from flowreasoner_training.recipes.memory import training_memory
from flowreasoner_training.recipes.schema import NanoSettings

if TYPE_CHECKING:
    from flowreasoner_training.recipes.schema import Recipe
    from flowreasoner_training.recipes.sizes import MemoryPlan

__all__ = [
    "STAGES",
    "Assumptions",
    "StageName",
    "StagePlan",
    "plan_distill",
    "plan_grpo",
    "plan_sft",
    "plan_start",
    "plan_worker",
]

StageName = Literal["worker", "distill", "start", "sft", "grpo"]
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


def plan_worker(recipe: Recipe) -> StagePlan:
    """Plans the worker of the miniature."""
    settings = recipe.nano or NanoSettings()
    counts = {"lessons": settings.lessons, "parameters": Architecture.of_nano(settings.worker).parameters}
    return StagePlan("worker", counts, {})


def plan_start(recipe: Recipe) -> StagePlan:
    """Plans the miniature's meta-agent before it designs anything: it learns to read queries."""
    settings = recipe.nano or NanoSettings()
    counts = {"readings": settings.readings, "parameters": Architecture.of_nano(settings.meta_agent).parameters}
    return StagePlan("start", counts, {})


def plan_distill(recipe: Recipe, queries: int, assumed: Assumptions) -> StagePlan:
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
    counts |= _worker_counts(recipe, rounds * recipe.worker.evaluations, assumed)
    usd = {settings.teacher: _usd(settings.teacher, read, written), **_worker_usd(recipe, counts)}
    return StagePlan("distill", counts, usd)


def plan_sft(recipe: Recipe, queries: int, parameters: float | None, shape: Architecture | None) -> StagePlan:
    """Plans the fine-tuning, as if every distilled trajectory were kept: an upper bound on steps."""
    settings = recipe.sft
    items = queries * recipe.distill.trajectories
    batch = settings.batch_size * settings.accumulation * processes(recipe)
    steps = math.ceil(math.ceil(items / batch) * settings.epochs)
    counts = {"trajectories, at most": items, "trajectories per step": batch, "optimizer steps": steps}
    memory = None if parameters is None else training_memory(recipe, "sft", parameters, shape)
    return StagePlan("sft", counts, {}, memory)


def plan_grpo(
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
    counts |= _worker_counts(recipe, rounds * recipe.grpo_evaluations, assumed)
    memory = None if parameters is None else training_memory(recipe, "grpo", parameters, shape)
    return StagePlan("grpo", counts, _worker_usd(recipe, counts), memory)


def _worker_counts(recipe: Recipe, runs: int, assumed: Assumptions) -> dict[str, int]:
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
