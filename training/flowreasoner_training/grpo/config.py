"""From a recipe to what TRL's trainer takes."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import TrainingError
from flowreasoner_training.adapters import four_bit_config, lora_config
from flowreasoner_training.checkpoints import expect_trainable

if TYPE_CHECKING:
    from pathlib import Path

    from trl import GRPOConfig

    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["grpo_config", "policy", "processes"]

_KEPT_CHECKPOINTS = 2


def processes() -> int:
    """Returns the number of processes that train together, as the launcher says."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def grpo_config(recipe: Recipe, out: Path, steps: int) -> GRPOConfig:
    """Returns TRL's settings for a recipe.

    Args:
        recipe: All settings.
        out: Where checkpoints go.
        steps: Optimizer steps; the order of the queries is the data's.

    Raises:
        TrainingError: If a step's trajectories cannot be divided among the devices.
    """
    from trl import GRPOConfig

    settings, model = recipe.grpo, recipe.model
    cpu = recipe.hardware.device == "cpu"
    return GRPOConfig(
        output_dir=str(out),
        # Eq. 3, in PPO's form of the clipping, with each trajectory's mean over its tokens
        loss_type="grpo",
        epsilon=settings.clip,
        beta=settings.beta,
        use_bias_correction_kl=False,
        scale_rewards="group",
        num_generations=settings.group_size,
        num_iterations=settings.iterations,
        temperature=settings.temperature,
        max_completion_length=settings.max_tokens,
        per_device_train_batch_size=settings.micro_batch,
        gradient_accumulation_steps=_accumulation(recipe),
        learning_rate=settings.learning_rate,
        lr_scheduler_type="constant_with_warmup" if settings.schedule == "constant" else settings.schedule,
        warmup_steps=settings.warmup_steps,
        max_grad_norm=settings.max_grad_norm,
        num_train_epochs=1,
        max_steps=steps,
        shuffle_dataset=False,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        # rollouts are not saved, so that a checkpoint belongs between two batches of them
        save_steps=math.ceil(settings.save_steps / settings.iterations) * settings.iterations,
        save_total_limit=_KEPT_CHECKPOINTS,
        seed=recipe.seed,
        data_seed=recipe.seed,
        use_cpu=cpu,
        bf16=model.dtype == "bfloat16",
        gradient_checkpointing=model.gradient_checkpointing,
        model_init_kwargs={"dtype": model.dtype},
        dataloader_pin_memory=not cpu,
        report_to="none",
        disable_tqdm=True,
        **_generation(recipe),
    )


def _accumulation(recipe: Recipe) -> int:
    settings = recipe.grpo
    made, at_once = settings.queries_per_step * settings.group_size, settings.micro_batch * processes()
    if made % at_once:
        raise TrainingError(
            f"a step makes {settings.queries_per_step} x {settings.group_size} = {made} trajectories, which cannot be "
            f"divided into batches of {settings.micro_batch} on {processes()} devices; change grpo.micro_batch or "
            "grpo.queries_per_step"
        )
    return made // at_once


def _generation(recipe: Recipe) -> dict[str, Any]:
    hardware = recipe.hardware
    match hardware.generation:
        case "vllm-colocate":
            return {
                "use_vllm": True,
                "vllm_mode": "colocate",
                "vllm_max_model_length": recipe.grpo.max_tokens,
                "vllm_gpu_memory_utilization": hardware.vllm_memory,
                "vllm_tensor_parallel_size": hardware.tensor_parallel,
            }
        case "vllm-server":
            return {"use_vllm": True, "vllm_mode": "server", "vllm_server_base_url": hardware.server}
    # A cache that grows is copied with every token, which on a CPU costs more than all computing does.
    return {"cache_implementation": "static"} if hardware.device == "cpu" else {}


def policy(recipe: Recipe, model: Path) -> dict[str, Any]:
    """Returns the trainer's arguments that say what is trained, and what the KL divergence is measured from.

    A path is handed over as it is: TRL loads the reference from it, too. Adapters are trained on, against a frozen
    copy of themselves; new ones against the model without them.

    Raises:
        TrainingError: If there is no model at the path, or none that is trained on.
    """
    expect_trainable(model)
    if (model / "adapter_config.json").is_file():
        from peft import AutoPeftModelForCausalLM

        return {"model": AutoPeftModelForCausalLM.from_pretrained(model, is_trainable=True, dtype=recipe.model.dtype)}
    if not (model / "config.json").is_file():
        raise TrainingError(
            f"there is no model in {str(model)!r}: neither config.json nor adapter_config.json is there; "
            "give the folder that `flowreasoner sft` wrote"
        )
    given: dict[str, Any] = {"model": str(model), "peft_config": lora_config(recipe.model)}
    quantised = four_bit_config(recipe.model)
    return given if quantised is None else {**given, "quantization_config": quantised}
