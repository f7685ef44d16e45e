"""Finds what cannot work together in a recipe, before a model is loaded or a token is paid for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flowreasoner.errors import FlowReasonerError
from flowreasoner.models import ModelURI
from flowreasoner.text import did_you_mean, listing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowreasoner_plugins.manager import Plugins
    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["impossible", "processes", "unknown"]

_MADE_HERE = "nano"  # the scheme of models that the training in miniature makes itself, on the way


def processes(recipe: Recipe) -> int:
    """Returns how many processes train: one per GPU of every node, or one on a CPU."""
    return max(1, recipe.hardware.gpus * recipe.hardware.nodes)


def impossible(recipe: Recipe) -> list[str]:
    """Returns the settings that contradict each other, each with the remedy."""
    checks = (_cpu, _gpus, _vllm, _adapters, _precision, _batches, _rounds, _template)
    return [problem for check in checks for problem in check(recipe)]


def unknown(recipe: Recipe, plugins: Plugins) -> list[str]:
    """Returns what a whole training would lack: benchmarks, files, reward terms, model schemes, queries for a step.

    Args:
        recipe: The recipe.
        plugins: Where all that comes from.
    """
    return [*_names(recipe, plugins), *_queries(recipe, plugins), *_files(recipe), *_steps(recipe)]


def _cpu(recipe: Recipe) -> Iterable[str]:
    hardware = recipe.hardware
    embedded = hardware.generation == "embedded"
    if hardware.device != "cpu":
        if embedded:
            yield "hardware.generation is 'embedded', which computes on CPUs: set it to 'transformers', or to vLLM"
        return
    if embedded and recipe.model.lora is not None:
        yield "hardware.generation is 'embedded', which knows no adapters: set it to 'transformers'"
    if hardware.gpus:
        yield f"hardware.gpus is {hardware.gpus}, but hardware.device is 'cpu': set hardware.gpus to 0, or name the GPU"
    if hardware.nodes > 1:
        yield f"hardware.nodes is {hardware.nodes}, but only GPUs train over several nodes: set hardware.nodes to 1"
    if hardware.sharding != "none":
        yield f"hardware.sharding is {hardware.sharding!r}, which divides over GPUs: set it to 'none' on a cpu"
    if hardware.generation.startswith("vllm"):
        yield f"hardware.generation is {hardware.generation!r}, which needs GPUs: set it to 'transformers' on a cpu"
    if recipe.model.dtype != "float32":
        yield f"model.dtype is {recipe.model.dtype!r}, which is slow and inexact on a cpu: set it to 'float32'"


def _gpus(recipe: Recipe) -> Iterable[str]:
    hardware = recipe.hardware
    if hardware.device != "cpu" and not hardware.gpus:
        yield f"hardware.gpus is 0, but hardware.device is {hardware.device!r}: set gpus to 1 or more, or device to cpu"
    if hardware.gpus * hardware.nodes == 1 and hardware.sharding != "none" and not hardware.offload:
        yield (
            f"hardware.sharding is {hardware.sharding!r}, but there is one GPU to divide over: train adapters "
            "(model.lora) with sharding 'none', or set hardware.offload to true"
        )
    if hardware.offload and hardware.sharding != "zero3":
        yield f"hardware.offload goes with hardware.sharding 'zero3' only, not with {hardware.sharding!r}"


def _vllm(recipe: Recipe) -> Iterable[str]:
    hardware = recipe.hardware
    over = {
        "vllm-colocate": ("hardware.gpus", hardware.gpus),
        "vllm-server": ("hardware.server_gpus", hardware.server_gpus),
    }
    if hardware.generation in over:
        name, count = over[hardware.generation]
        if count % hardware.tensor_parallel:
            yield (
                f"hardware.tensor_parallel is {hardware.tensor_parallel}, which does not divide {name} ({count}): an "
                "engine is spread over GPUs of one node"
            )
    if hardware.generation == "vllm-server" and not hardware.server.startswith(("http://", "https://")):
        yield f"hardware.server must be an address such as http://localhost:8000, not {hardware.server!r}"


def _adapters(recipe: Recipe) -> Iterable[str]:
    lora, hardware = recipe.model.lora, recipe.hardware
    if lora is None or not lora.four_bit:
        return
    if hardware.device == "cpu":
        yield "model.lora.four_bit needs a GPU (bitsandbytes): set it to false on a cpu"
    elif hardware.sharding != "none":
        yield (
            f"model.lora.four_bit does not go with hardware.sharding {hardware.sharding!r}: weights in 4 bits are "
            "small enough to stand on every GPU; set sharding to 'none'"
        )
    elif recipe.model.dtype != "bfloat16":
        yield f"model.lora.four_bit computes in bfloat16: set model.dtype to it, not to {recipe.model.dtype!r}"


def _precision(recipe: Recipe) -> Iterable[str]:
    whole = recipe.model.lora is None and recipe.hardware.sharding == "none"
    if whole and recipe.hardware.device != "cpu" and recipe.model.dtype == "bfloat16":
        yield (
            "model.dtype is 'bfloat16' for all weights without sharding: small steps are lost in rounding, since no "
            "copy in float32 is kept; set hardware.sharding to 'zero3' or 'fsdp2', which keep one, or train adapters "
            "(model.lora), or set dtype to 'float32'"
        )


def _batches(recipe: Recipe) -> Iterable[str]:
    """TRL makes whole groups at once, and gives every process the same number of trajectories per forward pass."""
    grpo, count = recipe.grpo, processes(recipe)
    trajectories, pass_size = grpo.queries_per_step * grpo.group_size, grpo.micro_batch * count
    if trajectories % pass_size:
        fits = [n for n in range(1, pass_size + 1) if n * grpo.group_size % pass_size == 0]
        yield (
            f"grpo.queries_per_step {grpo.queries_per_step} x grpo.group_size {grpo.group_size} = {trajectories} "
            f"trajectories per step cannot be divided over {count} {'process' if count == 1 else 'processes'} x "
            f"grpo.micro_batch {grpo.micro_batch}: set queries_per_step to a multiple of {fits[0]}"
        )


def _rounds(recipe: Recipe) -> Iterable[str]:
    grpo = recipe.grpo
    if grpo.advantage == "rounds" and grpo.rounds <= grpo.excluded_rounds:
        yield (
            f"grpo.rounds is {grpo.rounds} and grpo.excluded_rounds {grpo.excluded_rounds}: Eq. 4 leaves out every "
            f"round, so that there is nothing to learn from; set excluded_rounds below {grpo.rounds}"
        )
    if grpo.rounds * grpo.round_tokens > grpo.max_tokens:
        yield (
            f"grpo.rounds {grpo.rounds} x grpo.round_tokens {grpo.round_tokens} = {grpo.rounds * grpo.round_tokens} "
            f"tokens, without any feedback, are more than grpo.max_tokens {grpo.max_tokens}: raise max_tokens, or "
            "lower one of the others"
        )
    if recipe.distill.max_tokens > recipe.sft.max_tokens:
        yield (
            f"distill.max_tokens {recipe.distill.max_tokens} is above sft.max_tokens {recipe.sft.max_tokens}: "
            "trajectories would be paid for and then left out; set both to the same"
        )
    if not any(recipe.rewards.weights.values()):
        yield "rewards.weights are all 0, so that every workflow is worth the same: give one a weight, e.g. performance"


def _template(recipe: Recipe) -> Iterable[str]:
    name, template = recipe.model.name, recipe.model.chat_template
    if Path(name).is_dir():
        return  # a checkpoint of any kind; its tokenizer is looked at when it is loaded
    distilled = "r1-distill" in name.lower()
    if template == "r1-distill" and not distilled:
        yield f"model.chat_template is 'r1-distill', but model.name {name!r} is no such model: set it to 'own'"
    if template == "own" and distilled:
        yield (
            f"model.chat_template is 'own', but the template of {name} deletes the thoughts of earlier rounds: set it "
            "to 'r1-distill'"
        )


def _names(recipe: Recipe, plugins: Plugins) -> Iterable[str]:
    for term in recipe.rewards.weights:
        if term not in plugins.reward_terms:
            yield (
                f"rewards.weights.{term}: there is no such term{did_you_mean(term, plugins.reward_terms)}; "
                f"known are {listing(plugins.reward_terms)}"
            )
    for place, uri in (("worker.model", recipe.worker.model), ("distill.teacher", recipe.distill.teacher)):
        try:
            scheme = ModelURI.parse(uri).scheme
        except FlowReasonerError as error:
            yield f"{place}: {error}"
            continue
        if scheme not in {_MADE_HERE, *plugins.chat_models}:
            yield f"{place}: there is no model scheme {scheme!r} ({uri}); known are {listing(plugins.chat_models)}"
    tier = recipe.worker.sandbox
    if tier is not None and tier not in {"best", "none", *plugins.sandboxes}:
        yield f"worker.sandbox: there is no tier {tier!r}; known are best, none, {listing(plugins.sandboxes)}"


def _queries(recipe: Recipe, plugins: Plugins) -> Iterable[str]:
    queries = recipe.queries
    if queries.benchmark not in plugins.benchmarks:
        hint = did_you_mean(queries.benchmark, plugins.benchmarks)
        yield f"queries.benchmark: there is no {queries.benchmark!r}{hint}; known are {listing(plugins.benchmarks)}"
        return
    if queries.data is not None and not queries.data.exists():
        yield f"queries.data: there is no file {str(queries.data)!r}"
        return
    try:
        next(iter(plugins.benchmarks[queries.benchmark].queries(queries.data)), None)
    except FlowReasonerError as error:
        yield f"queries.data: {error}".replace("pass --data PATH", "set queries.data to its path")


def _files(recipe: Recipe) -> Iterable[str]:
    template = recipe.model.chat_template
    if isinstance(template, Path) and not template.is_file():
        yield f"model.chat_template must be 'own', 'r1-distill' or a file; there is no file {str(template)!r}"


def _steps(recipe: Recipe) -> Iterable[str]:
    count, least = recipe.queries.count, recipe.grpo.queries_per_step
    if count is not None and count < least:
        yield (
            f"queries.count {count} is below grpo.queries_per_step {least}: no batch of grpo would ever be full; lower "
            "queries_per_step"
        )
