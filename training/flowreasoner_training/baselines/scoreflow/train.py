"""One iteration of Score-DPO: preference pairs in, a folder with the trained generator out."""

from __future__ import annotations

import json
import math
import os
import shutil
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import datasets
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback
from trl import DPOConfig

from flowreasoner.errors import TrainingError
from flowreasoner_training.adapters import lora_config
from flowreasoner_training.baselines.scoreflow.trainer import ScoreCollator, ScoreDPOTrainer
from flowreasoner_training.files import guarded, write_atomically
from flowreasoner_training.noise import less_noise
from flowreasoner_training.recipes.schema import ModelSettings
from flowreasoner_training.rendering import use_training_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from flowreasoner.models import Message
    from flowreasoner_training.baselines.scoreflow.pairs import Pair
    from flowreasoner_training.baselines.scoreflow.settings import Dpo

__all__ = ["losses_of", "make_trainer", "train_on_pairs"]

_LOG, _PAIRS = "log.jsonl", "pairs.jsonl"


def train_on_pairs(
    checkpoint: Path,
    reference: Path,
    prompts: Sequence[tuple[Message, ...]],
    pairs: Sequence[Pair],
    settings: Dpo,
    seed: int,
    out: Path,
) -> None:
    """Trains a generator; the folder appears when all of it is written.

    Args:
        checkpoint: The generator so far.
        reference: What the KL divergence is measured from.
        prompts: The conversation that asks for each query's workflow.
        pairs: Pairs of replies, with indices of the prompts.
        settings: Of the training.
        seed: Of the order of the pairs, and of new adapters.
        out: For model, tokenizer, ``pairs.jsonl``, and ``log.jsonl`` with a line per step.

    Raises:
        TrainingError: If the checkpoint cannot be used, the loss is no finite number, or the folder cannot be written.
    """
    partial = out.with_name(out.name + ".part")
    shutil.rmtree(partial, ignore_errors=True)  # of a session that was killed
    with _quiet(), guarded(partial):
        trainer = make_trainer(checkpoint, reference, prompts, pairs, settings, seed, partial)
        trainer.train()
        log = [line for line in trainer.state.log_history if "loss" in line]
        if not all(math.isfinite(line["loss"]) for line in log):
            raise TrainingError(
                f"the loss became no finite number, and nothing of {str(out)!r} is kept; "
                f"take a lower learning rate than {settings.learning_rate:g}, and another folder"
            )
        model = trainer.accelerator.unwrap_model(trainer.model)
        (model if settings.lora is None else model.merge_and_unload()).save_pretrained(partial)
        trainer.processing_class.save_pretrained(partial)
        write_atomically(partial / _LOG, [json.dumps(line) + "\n" for line in log])
        write_atomically(partial / _PAIRS, [json.dumps(asdict(pair)) + "\n" for pair in pairs])
        partial.replace(out)


def losses_of(out: Path) -> list[float]:
    """Returns the loss of each step that `train_on_pairs` made."""
    return [json.loads(line)["loss"] for line in (out / _LOG).read_text(encoding="utf-8").splitlines()]


def make_trainer(
    checkpoint: Path,
    reference: Path,
    prompts: Sequence[tuple[Message, ...]],
    pairs: Sequence[Pair],
    settings: Dpo,
    seed: int,
    out: Path,
) -> ScoreDPOTrainer:
    """Puts the trainer together; see `train_on_pairs` for the arguments.

    Raises:
        TrainingError: If the checkpoint cannot be loaded, or its chat template cannot be trained with.
    """
    model, tokenizer = _load(checkpoint, settings)
    use_training_template(tokenizer)
    trainer = ScoreDPOTrainer(
        model=model,
        # Without one, TRL takes the model itself before it is trained; new adapters it switches off.
        ref_model=None if reference == checkpoint else _load(reference, settings)[0],
        args=_arguments(settings, seed, out),
        data_collator=ScoreCollator(pad_token_id=_pad(tokenizer)),
        train_dataset=datasets.Dataset.from_list([_row(prompts[pair.query], pair) for pair in pairs]),
        processing_class=tokenizer,
        peft_config=lora_config(ModelSettings(name=str(checkpoint), lora=settings.lora)),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _load(folder: Path, settings: Dpo) -> tuple[Any, Any]:
    """Loads a model and its tokenizer.

    Raises:
        TrainingError: If the folder does not hold them.
    """
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=settings.dtype)
        return model, AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot load the generator {str(folder)!r}: {str(error).splitlines()[0]}") from None


def _row(prompt: Sequence[Message], pair: Pair) -> dict[str, Any]:
    return {
        "prompt": [{"role": message.role, "content": message.content} for message in prompt],
        "chosen": [{"role": "assistant", "content": pair.chosen}],
        "rejected": [{"role": "assistant", "content": pair.rejected}],
        "chosen_score": pair.chosen_score,
        "rejected_score": pair.rejected_score,
    }


def _pad(tokenizer: Any) -> int:
    """Returns what batches are padded with; TRL pads with the end where there is no token for it."""
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return int(tokenizer.pad_token_id)


def _arguments(settings: Dpo, seed: int, out: Path) -> DPOConfig:
    """Returns TRL's settings; what is not named here is its default."""
    gpu = torch.cuda.is_available()
    return DPOConfig(
        output_dir=str(out),
        loss_type="sigmoid",
        beta=settings.beta,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="linear",
        per_device_train_batch_size=settings.batch_size,
        num_train_epochs=settings.epochs,
        precompute_ref_log_probs=True,
        max_length=None,  # the generator's replies are no longer than it may write
        remove_unused_columns=False,  # the scores are for the collator
        save_strategy="no",  # an iteration is made anew after an interruption
        logging_steps=1,
        logging_nan_inf_filter=False,
        bf16=gpu and settings.dtype == "bfloat16",
        gradient_checkpointing=settings.gradient_checkpointing,
        use_cpu=not gpu,
        dataloader_pin_memory=gpu,
        seed=seed,
        data_seed=seed,
        report_to="none",
        disable_tqdm=True,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences the libraries, and the progress bars of preparing pairs."""
    before = os.environ.get("TQDM_DISABLE")
    bars = datasets.are_progress_bars_disabled()
    os.environ["TQDM_DISABLE"] = "1"  # TRL looks for it, and has no setting of its own
    datasets.disable_progress_bars()
    try:
        with less_noise():
            yield
    finally:
        if not bars:
            datasets.enable_progress_bars()
        if before is None:
            del os.environ["TQDM_DISABLE"]
        else:
            os.environ["TQDM_DISABLE"] = before
