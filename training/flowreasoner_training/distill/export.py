"""Writes trajectories for other tools: LLaMA-Factory, which the paper trained with (Appendix A), and Parquet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import PluginError
from flowreasoner_training.files import guarded, make_folder, write_atomically
from flowreasoner_training.trajectory import line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flowreasoner_training.recipes.schema import Recipe
    from flowreasoner_training.trajectory import Trajectory

__all__ = ["export_llamafactory", "write_parquet"]

_NAME = "flowreasoner"
_INFO = {
    "file_name": f"{_NAME}.json",
    "formatting": "sharegpt",
    "columns": {"messages": "messages"},
    "tags": {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
        "system_tag": "system",
    },
}
_HEAD = "# Run in this folder: llamafactory-cli train sft.yaml\n"


def export_llamafactory(trajectories: Sequence[Trajectory], folder: Path, recipe: Recipe) -> None:
    """Writes a dataset that LLaMA-Factory loads as it is, and the file to train with it.

    The folder is a ``dataset_dir``: ``dataset_info.json`` describes ``flowreasoner.json``, in the OpenAI form of its
    sharegpt format. LLaMA-Factory, too, learns the assistant's turns only, with the thoughts of all of them.

    Args:
        trajectories: What to write.
        folder: Made when absent.
        recipe: Its model and its section sft go into ``sft.yaml``.

    Raises:
        TrainingError: If the folder cannot be written.
    """
    make_folder(folder)
    rows = [{"messages": item.messages()} for item in trajectories]
    files = {
        f"{_NAME}.json": json.dumps(rows, ensure_ascii=False, indent=1),
        "dataset_info.json": json.dumps({_NAME: _INFO}, indent=2),
        "sft.yaml": _HEAD + _yaml(llamafactory_settings(recipe)),
    }
    for name, text in files.items():
        write_atomically(folder / name, [text.rstrip("\n") + "\n"])


def llamafactory_settings(recipe: Recipe) -> dict[str, Any]:
    """Returns the settings of LLaMA-Factory that train as a recipe's section sft does."""
    model, sft, lora = recipe.model, recipe.sft, recipe.model.lora
    settings: dict[str, Any] = {
        "model_name_or_path": model.name,
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "full" if lora is None else "lora",
        "dataset_dir": ".",
        "dataset": _NAME,
        "cutoff_len": sft.max_tokens,
        "mask_history": False,
        "output_dir": "saves",
        "save_steps": sft.save_steps,
        "logging_steps": 1,
        "report_to": "none",
        "per_device_train_batch_size": sft.batch_size,
        "gradient_accumulation_steps": sft.accumulation,
        "learning_rate": sft.learning_rate,
        "num_train_epochs": sft.epochs,
        "lr_scheduler_type": "cosine",
        "warmup_ratio": sft.warmup,
        "bf16": model.dtype == "bfloat16",
        "seed": recipe.seed,
    }
    if model.chat_template == "r1-distill":
        settings["template"] = "deepseekr1"  # without one, LLaMA-Factory reads the tokenizer's own
    if not model.gradient_checkpointing:
        settings["disable_gradient_checkpointing"] = True
    if lora is not None:
        targets = "all" if lora.targets == "all-linear" else lora.targets
        settings |= {
            "lora_rank": lora.rank,
            "lora_alpha": lora.alpha,
            "lora_dropout": lora.dropout,
            "lora_target": targets if isinstance(targets, str) else ",".join(targets),
        }
        if lora.four_bit:
            settings |= {"quantization_bit": 4, "quantization_method": "bnb"}
    return settings


def _yaml(settings: dict[str, Any]) -> str:
    """Returns settings as YAML; numbers like 1e-5 get the point that YAML 1.1 wants."""
    import yaml

    return yaml.safe_dump(settings, sort_keys=False)


def write_parquet(trajectories: Sequence[Trajectory], path: Path) -> None:
    """Writes trajectories as Parquet: the conversation as a list, scores and rewards, and the whole record as JSON.

    Raises:
        PluginError: If pyarrow is not installed.
        TrainingError: If the file cannot be written.
    """
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        raise PluginError('Parquet needs pyarrow: pip install "flowreasoner[train]"') from None
    message = arrow.struct([("role", arrow.string()), ("content", arrow.string())])
    columns = {
        "id": ([item.id for item in trajectories], arrow.string()),
        "query": ([item.query for item in trajectories], arrow.string()),
        "benchmark": ([item.benchmark for item in trajectories], arrow.string()),
        "messages": ([item.messages() for item in trajectories], arrow.list_(message)),
        "score": ([item.score for item in trajectories], arrow.float64()),
        "hidden_score": ([item.hidden_score for item in trajectories], arrow.float64()),
        "rewards": ([[each.reward for each in item.rounds] for item in trajectories], arrow.list_(arrow.float64())),
        "record": ([line(item).rstrip("\n") for item in trajectories], arrow.string()),
    }
    table = arrow.table({name: arrow.array(values, kind) for name, (values, kind) in columns.items()})
    partial = path.with_name(path.name + ".part")
    with guarded(path):
        parquet.write_table(table, partial)
        partial.replace(path)
