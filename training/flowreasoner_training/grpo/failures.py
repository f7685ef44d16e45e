"""How a training that fails ends: with the last step saved, and one sentence that says what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from flowreasoner.errors import FlowReasonerError, TrainingError
from flowreasoner_training.checkpoints import kept, last_checkpoint, mark_whole, not_saved, step_of
from flowreasoner_training.files import NotWritten
from flowreasoner_training.grpo.trainer import NotFinite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flowreasoner_training.grpo.trainer import RoundGRPOTrainer

__all__ = ["clear_ends"]


@contextmanager
def clear_ends(trainer: RoundGRPOTrainer, out: Path) -> Iterator[None]:
    """Saves the last step when training fails or is interrupted, and words the failure.

    Raises:
        TrainingError: For a worker or sandbox that failed, a loss that is no number, a disk that is full, and too
            little memory, naming step, checkpoint and remedy; other errors pass as they are, with the last step saved.
    """
    try:
        yield
    except NotWritten as error:
        raise not_saved(error, int(trainer.state.global_step), out) from error
    except Exception as error:
        _save(trainer, out)
        said = _words(error, trainer, out)
        if said:
            raise TrainingError(said) from error
        raise
    except KeyboardInterrupt:
        _save(trainer, out)
        raise


def _words(error: Exception, trainer: RoundGRPOTrainer, out: Path) -> str:
    step = _step(trainer)
    if isinstance(error, NotFinite):
        checkpoint = last_checkpoint(out)
        return (
            f"step {step}: the {error} is no finite number, and the step was not made; {kept(out)}; "
            f"train on from there with a lower grpo.learning_rate than {trainer.args.learning_rate:g} or a higher "
            f"grpo.beta: --model {checkpoint or 'MODEL'} --out ANOTHER"
        )
    if isinstance(error, FlowReasonerError):
        return f"step {step} was not made: {error}; {kept(out)}; go on with --resume"
    if isinstance(error, torch.OutOfMemoryError):
        return (
            f"step {step}: the device's memory is too small; {kept(out)}; lower grpo.micro_batch or grpo.max_tokens, "
            "or use a recipe with LoRA or more devices, and go on with --resume"
        )
    return ""


def _step(trainer: RoundGRPOTrainer) -> int:
    return int(trainer.state.global_step) + 1


def _save(trainer: RoundGRPOTrainer, out: Path) -> None:
    """Saves the steps since the last checkpoint, where that can be done without the other processes."""
    step = int(trainer.state.global_step)
    between_batches = step % trainer.num_iterations == 0
    if trainer.accelerator.num_processes == 1 and between_batches and step > step_of(last_checkpoint(out)):
        trainer._save_checkpoint(trainer.model, trial=None)
        mark_whole(out, step)
