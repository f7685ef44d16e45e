"""TRL's SFTTrainer as a recipe sets it: precision, adapters, schedule, checkpoints."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoTokenizer, PrinterCallback
from trl import SFTConfig, SFTTrainer

from flowreasoner.errors import TrainingError
from flowreasoner_training.adapters import four_bit_config, lora_config
from flowreasoner_training.checkpoints import MarkWhole, SavesWhole, expect_trainable

if TYPE_CHECKING:
    from flowreasoner_training.recipes.schema import Recipe
    from flowreasoner_training.sft.data import SftData

__all__ = ["check_device", "load_tokenizer", "make_trainer"]


class _Trainer(SavesWhole, SFTTrainer):  # type: ignore[misc]  # TRL is not typed
    """TRL's trainer, which says when a checkpoint cannot be written."""


def check_device(recipe: Recipe) -> None:
    """Looks for the recipe's device, and makes its arithmetic repeatable.

    Raises:
        TrainingError: If it is a GPU, and there is none.
    """
    hardware = recipe.hardware
    if hardware.device == "cpu":
        return
    if not torch.cuda.is_available():
        raise TrainingError(
            f"the recipe {recipe.name!r} trains on {hardware.device}, and torch sees no GPU here; "
            "run it where there is one, or set hardware.device to cpu"
        )
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(mode=True, warn_only=True)


def load_tokenizer(base: str) -> Any:
    """Loads the tokenizer of a model.

    Raises:
        TrainingError: If there is no such model, or none that is trained on.
    """
    expect_trainable(Path(base))
    try:
        return AutoTokenizer.from_pretrained(base)
    except (OSError, ValueError) as error:
        if base.startswith("nano:"):
            raise TrainingError(
                f"{base} stands for a model that `flowreasoner train` makes: name its folder with --model, "
                "e.g. runs/miniature/start"
            ) from None
        where = "the folder holds no checkpoint" if Path(base).is_dir() else "there is no such folder"
        reason = str(error).splitlines()[0]
        raise TrainingError(
            f"cannot load the model {base!r}: {where}, nor is it found on the Hugging Face hub ({reason:.200})"
        ) from None


def make_trainer(recipe: Recipe, base: str, tokenizer: Any, rows: SftData, out: Path) -> SFTTrainer:
    """Makes the trainer.

    Raises:
        TrainingError: If the model cannot be loaded.
    """
    import datasets

    try:
        trainer = _Trainer(
            base,
            args=_arguments(recipe, out),
            train_dataset=datasets.Dataset.from_list(rows.rows),
            processing_class=tokenizer,
            peft_config=lora_config(recipe.model),
            quantization_config=four_bit_config(recipe.model),
        )
    except OSError as error:
        raise TrainingError(f"cannot load the model {base!r}: {str(error).splitlines()[0]}") from None
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(MarkWhole())
    return trainer


def _arguments(recipe: Recipe, out: Path) -> SFTConfig:
    """Returns the settings of TRL's trainer; what is not named here is its default."""
    sft, cpu = recipe.sft, recipe.hardware.device == "cpu"
    return SFTConfig(
        output_dir=str(out / "checkpoints"),
        per_device_train_batch_size=sft.batch_size,
        gradient_accumulation_steps=sft.accumulation,
        learning_rate=sft.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=sft.warmup,  # a share of the steps, as it is below 1
        num_train_epochs=sft.epochs,
        save_strategy="steps",
        save_steps=sft.save_steps,
        save_total_limit=2,  # one is whole while the other is written
        logging_steps=1,
        logging_nan_inf_filter=False,  # or a loss that is no number would be logged as the one before
        max_length=None,  # too long ones are left out already
        dataset_kwargs={"skip_prepare_dataset": True},  # labels are there already
        bf16=recipe.model.dtype == "bfloat16" and not cpu,
        gradient_checkpointing=recipe.model.gradient_checkpointing,
        model_init_kwargs={"dtype": recipe.model.dtype},
        use_cpu=cpu,
        dataloader_pin_memory=not cpu,
        seed=recipe.seed,
        data_seed=recipe.seed,
        report_to=[],
        disable_tqdm=True,
    )
