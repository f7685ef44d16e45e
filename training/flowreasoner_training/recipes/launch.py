"""The exact commands that run a recipe, and accelerate's configuration that they name."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flowreasoner_training.recipes.checks import processes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowreasoner_training.recipes.schema import Recipe
    from flowreasoner_training.recipes.stages import StageName

__all__ = ["CONFIG", "Command", "accelerate_config", "launch_commands"]

CONFIG = "accelerate.yaml"
_PORT = 29_500


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        what: What it does, and where.
        text: As a shell takes it.
    """

    what: str
    text: str


def accelerate_config(recipe: Recipe) -> dict[str, Any] | None:
    """Returns accelerate's configuration, or None where one process trains and nothing is divided."""
    hardware = recipe.hardware
    kinds = {"none": "MULTI_GPU", "zero3": "DEEPSPEED", "fsdp2": "FSDP"}
    if hardware.sharding == "none" and processes(recipe) == 1:
        return None
    config: dict[str, Any] = {
        "compute_environment": "LOCAL_MACHINE",
        "debug": False,
        "distributed_type": kinds[hardware.sharding],
        "downcast_bf16": "no",
        "machine_rank": 0,
        "main_training_function": "main",
        "mixed_precision": "bf16" if recipe.model.dtype == "bfloat16" else "no",
        "num_machines": hardware.nodes,
        "num_processes": processes(recipe),
        "rdzv_backend": "static",
        "same_network": True,
        "use_cpu": False,
    }
    if hardware.sharding == "zero3":
        config["deepspeed_config"] = {
            "deepspeed_multinode_launcher": "standard",
            "offload_optimizer_device": "cpu" if hardware.offload else "none",
            "offload_param_device": "none",
            "zero3_init_flag": True,
            "zero3_save_16bit_model": True,
            "zero_stage": 3,
        }
    if hardware.sharding == "fsdp2":
        config["fsdp_config"] = {
            "fsdp_activation_checkpointing": False,  # the trainer's own setting does that
            "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "fsdp_cpu_ram_efficient_loading": True,
            "fsdp_offload_params": False,
            "fsdp_reshard_after_forward": True,
            "fsdp_state_dict_type": "FULL_STATE_DICT",
            "fsdp_version": 2,
        }
    return config


def launch_commands(given: str, recipe: Recipe, stages: Iterable[StageName], out: Path | None = None) -> list[Command]:
    """Returns the commands of some stages, in order.

    Args:
        given: The recipe as it was named.
        recipe: The recipe.
        stages: Which stages.
        out: Folder of the results; ``runs/NAME`` unless given.
    """
    folder = out or Path("runs") / recipe.name
    if recipe.nano is not None:  # its models are made on the way
        text = shlex.join(["flowreasoner", "train", given, "--out", str(folder)])
        return [Command("all stages, one after the other", f"OMP_WAIT_POLICY=PASSIVE {text}")]
    commands: list[Command] = []
    if accelerate_config(recipe) is not None:
        text = shlex.join(["flowreasoner", "recipes", "plan", given, "--write", str(folder)])
        commands.append(Command(f"once: {CONFIG}", text))
    for stage in stages:
        if stage == "grpo" and recipe.hardware.generation == "vllm-server":
            commands.append(_server(recipe, folder))
        commands.append(_stage(given, recipe, stage, folder))
    return commands


def _stage(given: str, recipe: Recipe, stage: StageName, folder: Path) -> Command:
    data, trained = folder / "distill" / "trajectories.jsonl", folder / "sft" / "model"
    more = {"distill": [], "sft": ["--data", str(data)], "grpo": ["--model", str(trained)]}[stage]
    words = [stage, given, *more, "--out", str(folder / stage)]
    if stage == "distill" or accelerate_config(recipe) is None:
        quiet = "OMP_WAIT_POLICY=PASSIVE " if recipe.hardware.device == "cpu" else ""
        return Command(stage, quiet + shlex.join(["flowreasoner", *words]))
    launcher = ["accelerate", "launch", "--config_file", str(folder / CONFIG)]
    text, what = shlex.join(launcher), str(stage)
    if recipe.hardware.nodes > 1:
        what = (
            f"{stage}, on each of {recipe.hardware.nodes} nodes; RANK counts them from 0, HEAD is the first's address"
        )
        text += f" --machine_rank $RANK --main_process_ip $HEAD --main_process_port {_PORT}"
    if stage == "grpo" and _beside(recipe):
        text = f"CUDA_VISIBLE_DEVICES={_devices(0, recipe.hardware.gpus)} {text}"
    return Command(what, f"{text} {shlex.join(['-m', 'flowreasoner_plugins', *words])}")


def _server(recipe: Recipe, folder: Path) -> Command:
    """Returns the server's command: it takes new weights, and gives log-probabilities, as TRL's client wants it."""
    hardware = recipe.hardware
    words = ["vllm", "serve", str(folder / "sft" / "model"), "--port", str(urlsplit(hardware.server).port or 8000)]
    words += ["--tensor-parallel-size", str(hardware.tensor_parallel)]
    words += ["--data-parallel-size", str(hardware.server_gpus // hardware.tensor_parallel)]
    words += ["--max-model-len", str(recipe.grpo.max_tokens), "--dtype", recipe.model.dtype]
    words += ["--enable-scale-out", "--weight-transfer-config", json.dumps({"backend": "nccl"})]
    words += ["--logprobs-mode", "processed_logprobs", "--max-logprobs", "-1"]
    devices = f"CUDA_VISIBLE_DEVICES={_devices(hardware.gpus, hardware.server_gpus)} " if _beside(recipe) else ""
    where = "on the same node" if _beside(recipe) else f"on the node of {hardware.server}"
    return Command(f"the vLLM server, {where}, until grpo ends", f"VLLM_SERVER_DEV_MODE=1 {devices}{shlex.join(words)}")


def _beside(recipe: Recipe) -> bool:
    """Tells whether a vLLM server runs on the node that trains."""
    local = urlsplit(recipe.hardware.server).hostname in {"localhost", "127.0.0.1", "::1"}
    return recipe.hardware.generation == "vllm-server" and recipe.hardware.nodes == 1 and local


def _devices(first: int, count: int) -> str:
    return ",".join(str(number) for number in range(first, first + count))
