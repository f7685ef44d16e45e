"""Memory per GPU, derived line by line: weights, gradients, optimizer, activations, key-value cache.

Rules of thumb for mixed precision with AdamW, for what TRL, DeepSpeed and FSDP2 keep; each line says how it came
about. What is not known is left out, and said so; it was compared with no measurement on a GPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from flowreasoner_training.recipes.architecture import lora_parameters
from flowreasoner_training.recipes.checks import processes
from flowreasoner_training.recipes.sizes import GIB, MemoryItem, MemoryPlan, billions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowreasoner_training.recipes.architecture import Architecture
    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["server_memory", "training_memory"]

_USABLE: dict[str, float | None] = {"cpu": None, "a100-80gb": 79 * GIB, "h100-80gb": 79 * GIB}  # what CUDA leaves of it
_FIXED = 4 * GIB  # CUDA's context, NCCL's buffers, what the allocator cannot join: assumed
_GATHERED = 1_000_000_000  # DeepSpeed's stage3_max_live_parameters
_TILE = (4_096, 32_768)  # tokens and vocabulary of TRL's tile of logits
_ENGINE = 2 * GIB  # vLLM's own activations and graphs: assumed
_SERVER_SHARE = 0.9  # of its GPUs that a vLLM server takes: its default


Stage = Literal["sft", "grpo"]


def training_memory(recipe: Recipe, stage: Stage, parameters: float, shape: Architecture | None) -> MemoryPlan:
    """Derives the memory of one GPU that trains.

    Args:
        recipe: All settings.
        stage: Which training.
        parameters: Of the model.
        shape: The model's shape; without it activations and caches are not known and left out.
    """
    items = [*_model(recipe, parameters, shape)]
    if stage == "grpo" and recipe.grpo.beta and recipe.model.lora is None:  # else it is the model without adapters
        items.append(_frozen("reference model", recipe, parameters, shape))
    if shape is not None:
        items += _activations(recipe, stage, shape)
    problem = ""
    if stage == "grpo":
        rollout, problem = _rollout(recipe, parameters, shape)
        items += rollout
    if recipe.hardware.device != "cpu":
        items.append(MemoryItem("CUDA, NCCL, allocator", _FIXED, "assumed"))
    host = 12 * parameters / recipe.hardware.nodes if recipe.hardware.offload and recipe.model.lora is None else 0.0
    return MemoryPlan(tuple(items), _USABLE[recipe.hardware.device], problem, host)


def server_memory(recipe: Recipe, parameters: float, shape: Architecture | None) -> MemoryPlan:
    """Derives the memory of one GPU of the vLLM server."""
    usable = _USABLE[recipe.hardware.device] or 0.0
    item, problem = _engine(recipe, _SERVER_SHARE, usable, parameters, shape)
    return MemoryPlan((item,), usable, problem)


def _width(recipe: Recipe) -> int:
    """Returns the bytes of a number in the model's format."""
    return 2 if recipe.model.dtype == "bfloat16" else 4


def _parts(recipe: Recipe) -> tuple[int, str]:
    """Returns how many parts weights and optimizer are divided into, and that in words."""
    count = processes(recipe) if recipe.hardware.sharding != "none" else 1
    return count, f" / {count} GPUs" if count > 1 else ""


def _model(recipe: Recipe, parameters: float, shape: Architecture | None) -> Iterable[MemoryItem]:
    """Yields weights, gradients and optimizer."""
    width, (parts, over), sharding = _width(recipe), _parts(recipe), recipe.hardware.sharding
    trained = parameters
    if recipe.model.lora is not None:
        yield _frozen("frozen weights", recipe, parameters, shape)
        trained = float(lora_parameters(shape, recipe.model)) if shape is not None else 0.0
        width = 2 if sharding == "zero3" and width == 2 else 4  # PEFT keeps adapters in float32, but not for ZeRO-3
    elif sharding == "fsdp2":
        width = 4  # accelerate makes trained weights float32, and gathers them in the model's format
    what = "adapters" if recipe.model.lora is not None else "weights"
    states = 12 if sharding == "zero3" and width == 2 else 2 * width
    kept = "float32 copy and two moments" if states == 12 else "two moments"
    offloaded = recipe.hardware.offload
    yield MemoryItem(what, trained * width / parts, f"{billions(trained)} x {width} bytes{over}")
    if offloaded:
        yield MemoryItem("gradients, optimizer", 0.0, f"{billions(trained)} x {states} bytes in the host's memory")
    else:
        yield MemoryItem("gradients", trained * width / parts, f"{billions(trained)} x {width} bytes{over}")
        yield MemoryItem("AdamW", trained * states / parts, f"{billions(trained)} x {states} bytes ({kept}){over}")
    yield from _gathered(recipe, parameters, shape)


def _gathered(recipe: Recipe, parameters: float, shape: Architecture | None) -> Iterable[MemoryItem]:
    """Yields the weights that are whole on a GPU while they are used, where they are divided."""
    width = _width(recipe)
    if recipe.hardware.sharding == "zero3":
        live = min(parameters, _GATHERED)
        yield MemoryItem("gathered weights", live * width, f"at most {billions(live)} at a time x {width} bytes")
    if recipe.hardware.sharding == "fsdp2" and shape is not None:
        live = shape.outer_parameters + 2 * shape.block_parameters
        how = f"embedding, output layer and two blocks, {billions(live)} x {width} bytes"
        yield MemoryItem("gathered weights", live * width, how, "update")


def _frozen(name: str, recipe: Recipe, parameters: float, shape: Architecture | None) -> MemoryItem:
    width, (parts, over), lora = _width(recipe), _parts(recipe), recipe.model.lora
    if lora is not None and lora.four_bit:
        outer = shape.outer_parameters if shape is not None else 0
        size = (parameters - outer) * 4.5 / 8 + outer * width
        return MemoryItem(
            name, size, f"blocks x 4.5 bits, embedding and output layer {billions(outer)} x {width} bytes"
        )
    return MemoryItem(name, parameters * width / parts, f"{billions(parameters)} x {width} bytes{over}")


def _activations(recipe: Recipe, stage: Stage, shape: Architecture) -> Iterable[MemoryItem]:
    """Yields what the backward pass needs, for the longest trajectory that is allowed."""
    rows, tokens = (
        (recipe.grpo.micro_batch, recipe.grpo.max_tokens)
        if stage == "grpo"
        else (recipe.sft.batch_size, recipe.sft.max_tokens)
    )
    count, width = rows * tokens, _width(recipe)
    inner = 6 * shape.hidden + 2 * shape.kv_heads * shape.head_dim + 4 * shape.intermediate
    block = inner * width + 8 * shape.hidden  # the norms compute in float32
    many = f"{rows} x {tokens:,} tokens"
    if recipe.model.gradient_checkpointing:
        kept = shape.layers * count * shape.hidden * width
        yield MemoryItem(
            "checkpoints", kept, f"{shape.layers} blocks x {many} x {shape.hidden} x {width} bytes", "update"
        )
        yield MemoryItem("activations", count * block, f"one block: {many} x {block:,} bytes", "update")
    else:
        kept = shape.layers * count * block
        yield MemoryItem("activations", kept, f"{shape.layers} blocks x {many} x {block:,} bytes", "update")
    tile = min(count, _TILE[0]) * min(shape.vocabulary, _TILE[1]) * width
    head = shape.vocabulary * shape.hidden * 4 if recipe.model.lora is None else 0
    how = "logits in tiles; gradients of the last states" + (
        " and the output layer in float32" if head else " in float32"
    )
    yield MemoryItem("output layer", tile + count * shape.hidden * 4 + head, how, "update")


def _rollout(recipe: Recipe, parameters: float, shape: Architecture | None) -> tuple[list[MemoryItem], str]:
    """Returns what samples the rollouts, and why it cannot, or an empty text."""
    hardware, grpo = recipe.hardware, recipe.grpo
    if hardware.generation == "vllm-colocate":
        item, problem = _engine(recipe, hardware.vllm_memory, _USABLE[hardware.device] or 0.0, parameters, shape)
        return [item], problem
    if hardware.generation == "vllm-server" or shape is None:
        return [], ""
    rows = grpo.queries_per_step * grpo.group_size // processes(recipe)
    width = _width(recipe)
    how = f"{rows} x {grpo.max_tokens:,} tokens x {shape.cache_values:,} x {width} bytes"
    size = rows * grpo.max_tokens * shape.cache_values * width
    return [MemoryItem("key-value cache", size, how, "rollout")], ""


def _engine(
    recipe: Recipe, share: float, usable: float, parameters: float, shape: Architecture | None
) -> tuple[MemoryItem, str]:
    """Returns vLLM's share of a GPU, and why it is too small, or an empty text."""
    split = recipe.hardware.tensor_parallel
    weights = 2 * parameters / split
    room = share * usable - weights - _ENGINE
    how = f"{share:g} of the GPU, {weights / GIB:.1f} GiB of it weights"
    problem = ""
    if shape is not None:
        sequences = room / (shape.cache_values * 2 / split * recipe.grpo.max_tokens)
        how += f"; the cache holds {max(sequences, 0):.1f} trajectories of {recipe.grpo.max_tokens:,} tokens"
        if sequences < 1:
            problem = (
                f"vLLM's cache has no room for one trajectory of {recipe.grpo.max_tokens:,} tokens: raise "
                "hardware.vllm_memory or hardware.tensor_parallel, or lower grpo.max_tokens"
            )
    return MemoryItem("vLLM", share * usable, how), problem
