"""Trains a meta-agent on trajectories with TRL's SFTTrainer (Eq. 2); resumable, and then bit-identical.

The loss is taken over the assistant's tokens only. Weights, optimizer, schedule, order of the data and random
states are in each checkpoint, and one counts only when it is whole.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoTokenizer, PrinterCallback
from transformers.utils.logging import disable_progress_bar
from trl import SFTConfig, SFTTrainer

from flowreasoner.errors import FlowReasonerError, TrainingError
from flowreasoner_training.checkpoints import MarkWhole, last_checkpoint, remove_broken, step_of
from flowreasoner_training.files import guarded, is_full, make_folder, write_atomically
from flowreasoner_training.rendering import use_training_template
from flowreasoner_training.sft.data import SftData, load_data
from flowreasoner_training.sft.watch import SftProgress, StepLog, keep_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from flowreasoner_training.recipes.schema import LoraSettings, Recipe

__all__ = ["SftResult", "make_trainer", "train_sft"]


@dataclass(frozen=True)
class SftResult:
    """What a fine-tuning came to.

    Attributes:
        model: Folder of the trained model with its tokenizer and chat template.
        steps: Optimizer steps.
        trajectories: Trajectories that were trained on.
        left_out: Trajectories that were too long.
        tokens: Tokens of the trajectories, once each.
        trained_tokens: Those of them that are learned.
        loss: Loss of the last step, in nats per token.
    """

    model: Path
    steps: int
    trajectories: int
    left_out: int
    tokens: int
    trained_tokens: int
    loss: float

    def to_json(self) -> dict[str, Any]:
        """Returns the object that ``flowreasoner sft --json`` prints."""
        return {**vars(self), "model": str(self.model)}


def train_sft(
    recipe: Recipe,
    data: Path,
    out: Path,
    *,
    model: Path | str | None = None,
    resume: bool = False,
    report: Callable[[SftProgress], None] = lambda _: None,
) -> SftResult:
    """Fine-tunes a model on trajectories.

    In `out` are then ``model``, ``log.jsonl`` with a line per step, ``result.json`` and ``checkpoints``; with LoRA,
    also ``adapter``, and ``model`` has it merged.

    Args:
        recipe: The sections model, sft and hardware are used, and the seed.
        data: A file of `distill`.
        out: Folder for everything.
        model: Checkpoint to start from; the recipe's unless given.
        resume: Go on from the last whole checkpoint in `out`, or start where there is none.
        report: Called after each step.

    Raises:
        TrainingError: If data, model or device cannot be used, `out` holds another training, the loss is no number,
            or the disk is full. What was saved stays, and can be gone on with.
    """
    base = str(model or recipe.model.name)
    disable_progress_bar()  # type: ignore[no-untyped-call]
    result = out / "result.json"
    _check_device(recipe)
    settings = _settings(recipe, data, base)
    _begin(out, settings, resume=resume)
    if resume and result.exists():
        return _finished(result)
    tokenizer = load_tokenizer(base)
    use_training_template(tokenizer, recipe.model.chat_template)
    rows = load_data(data, tokenizer, recipe.sft.max_tokens)
    if rows.left_out:
        logging.getLogger(__name__).warning("%d trajectories are too long and are left out", rows.left_out)
    with warnings.catch_warnings():
        # Newer versions of transformers have another name for it, which TRL 1.16 and PEFT do not use yet.
        warnings.filterwarnings("ignore", ".*gradient_checkpointing.*deprecated", FutureWarning)
        trainer = make_trainer(recipe, base, tokenizer, rows, out)
        log = StepLog(out / "log.jsonl", out / "checkpoints", report)
        trainer.add_callback(log)
        _train(trainer, out)
        _save(trainer, recipe, tokenizer, out)
    made = SftResult(
        out / "model", trainer.state.global_step, len(rows.rows), rows.left_out, rows.tokens, rows.trained, log.loss
    )
    if trainer.is_world_process_zero():
        write_atomically(result, [json.dumps(made.to_json(), indent=2) + "\n"])
    return made


def load_tokenizer(base: str) -> Any:
    """Loads the tokenizer of a model.

    Raises:
        TrainingError: If there is no such model.
    """
    try:
        return AutoTokenizer.from_pretrained(base)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError(
            f"there is no model {base!r}: {reason}; give a folder with a checkpoint, or a name on the Hugging Face hub"
        ) from None


def make_trainer(recipe: Recipe, base: str, tokenizer: Any, rows: SftData, out: Path) -> SFTTrainer:
    """Makes the trainer.

    Raises:
        TrainingError: If the model cannot be loaded.
    """
    import datasets

    try:
        trainer = SFTTrainer(
            base,
            args=_arguments(recipe, out),
            train_dataset=datasets.Dataset.from_list(rows.rows),
            processing_class=tokenizer,
            peft_config=_adapter(recipe.model.lora),
            quantization_config=_four_bit(recipe),
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


def _adapter(lora: LoraSettings | None) -> Any:
    if lora is None:
        return None
    from peft import LoraConfig

    targets = lora.targets if isinstance(lora.targets, str) else list(lora.targets)
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=targets,
    )


def _four_bit(recipe: Recipe) -> Any:
    if recipe.model.lora is None or not recipe.model.lora.four_bit:
        return None
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, recipe.model.dtype),
    )


def _check_device(recipe: Recipe) -> None:
    """Looks for the recipe's device, and makes its arithmetic repeatable.

    Raises:
        TrainingError: If it is a GPU, and there is none.
    """
    hardware = recipe.hardware
    if hardware.threads is not None:
        torch.set_num_threads(hardware.threads)
    if hardware.device == "cpu":
        return
    if not torch.cuda.is_available():
        raise TrainingError(
            f"the recipe {recipe.name!r} trains on {hardware.device}, and torch sees no GPU here; "
            "run it where there is one, or set hardware.device to cpu"
        )
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(mode=True, warn_only=True)


def _settings(recipe: Recipe, data: Path, base: str) -> dict[str, Any]:
    """Returns what decides the outcome of a training."""
    try:
        digest = hashlib.sha256(data.read_bytes()).hexdigest()
    except OSError as error:
        raise TrainingError(
            f"cannot read trajectories from {str(data)!r}: {error.strerror}; `flowreasoner distill` makes such a file"
        ) from None
    sections = recipe.model_dump(mode="json", include={"model", "sft", "seed"})
    return {"base": base, "data": digest, **sections["model"], **sections["sft"], "seed": recipe.seed}


def _begin(out: Path, settings: dict[str, Any], *, resume: bool) -> None:
    """Makes the folder, or compares what it was begun with.

    Raises:
        TrainingError: If it holds another training, or this one and `resume` is not given.
    """
    make_folder(out)
    file = out / "settings.json"
    if not file.exists():
        write_atomically(file, [json.dumps(settings, indent=2) + "\n"])
        return
    if not resume:
        raise TrainingError(f"{str(out)!r} holds a training already: pass --resume to go on, or another folder")
    begun = json.loads(file.read_text(encoding="utf-8"))
    for name in sorted(begun.keys() | settings.keys()):
        if begun.get(name) != settings.get(name):
            raise TrainingError(
                f"the training in {str(out)!r} was begun with {name} {begun.get(name)!r}, not {settings.get(name)!r}; "
                "give the same to go on with it, or another folder"
            )


def _train(trainer: SFTTrainer, out: Path) -> None:
    """Trains, from the last whole checkpoint where there is one.

    Raises:
        TrainingError: If it fails for a reason that has a remedy.
    """
    checkpoints = out / "checkpoints"
    found = last_checkpoint(checkpoints)
    if trainer.is_world_process_zero():
        remove_broken(checkpoints)
        keep_lines(out / "log.jsonl", step_of(found))
    trainer.accelerator.wait_for_everyone()
    try:
        trainer.train(resume_from_checkpoint=None if found is None else str(found))
    except FlowReasonerError:
        raise
    except Exception as error:
        good = last_checkpoint(checkpoints)
        kept = "no checkpoint was written yet" if good is None else f"all until then is kept in {str(good)!r}"
        where = f"after step {trainer.state.global_step}"
        if is_full(error):
            raise TrainingError(
                f"{where}: the disk of {str(out)!r} is full; {kept}; free some space and go on with --resume"
            ) from error
        if isinstance(error, torch.OutOfMemoryError):
            raise TrainingError(
                f"{where}: the device's memory is too small; {kept}; lower sft.batch_size or sft.max_tokens, or take "
                "a recipe with LoRA or more devices"
            ) from error
        raise


def _save(trainer: SFTTrainer, recipe: Recipe, tokenizer: Any, out: Path) -> None:
    """Saves model and tokenizer, the latter with the template that keeps earlier thoughts.

    With an adapter, the model is loaded anew and merged, as weights in 4 bits cannot be.
    """
    target, partial = out / "model", out / "model.part"
    with guarded(target):
        if recipe.model.lora is None:
            trainer.save_model(str(partial))
        else:
            trainer.save_model(str(out / "adapter"))
            _drop_pickle(out / "adapter")
        if trainer.is_world_process_zero():
            if recipe.model.lora is not None:
                _merge(out / "adapter", partial, recipe.model.dtype)
            tokenizer.save_pretrained(partial)
            _drop_pickle(partial)
            shutil.rmtree(target, ignore_errors=True)
            partial.replace(target)


def _drop_pickle(folder: Path) -> None:
    """Removes the trainer's settings from a model that is passed on: nobody should have to trust a pickle."""
    (folder / "training_args.bin").unlink(missing_ok=True)


def _merge(adapter: Path, target: Path, dtype: str) -> None:
    from peft import AutoPeftModelForCausalLM

    model = AutoPeftModelForCausalLM.from_pretrained(adapter, dtype=getattr(torch, dtype), device_map="cpu")
    model.merge_and_unload().save_pretrained(target)


def _finished(result: Path) -> SftResult:
    value = json.loads(result.read_text(encoding="utf-8"))
    return SftResult(**{**value, "model": result.parent / "model"})
