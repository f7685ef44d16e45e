"""Trains a meta-agent with GRPO from a recipe (§4.2)."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from datasets import Dataset
from transformers import AutoTokenizer, PrinterCallback

from flowreasoner.errors import TrainingError
from flowreasoner_plugins import load_plugins
from flowreasoner_plugins.cli.inputs import make_sandbox
from flowreasoner_plugins.model_source import ModelSource
from flowreasoner_training.begun import begin, check_same
from flowreasoner_training.checkpoints import MarkWhole, drop_pickle, keep_lines, last_checkpoint, step_of
from flowreasoner_training.files import guarded
from flowreasoner_training.grpo.background import BackgroundLoop
from flowreasoner_training.grpo.config import grpo_config, policy
from flowreasoner_training.grpo.failures import clear_ends
from flowreasoner_training.grpo.hazards import HazardWatch
from flowreasoner_training.grpo.log import RoundMade, StepLog
from flowreasoner_training.grpo.queries import QueryRows
from flowreasoner_training.grpo.rollout import Rollouts
from flowreasoner_training.grpo.sampling import EmbeddedSampling, TrainerSampling
from flowreasoner_training.grpo.trainer import RoundGRPOTrainer, mean_reward
from flowreasoner_training.grpo.turns import FeedbackTurns
from flowreasoner_training.grpo.verdicts import GradedOnce
from flowreasoner_training.noise import less_noise
from flowreasoner_training.rendering import use_training_template
from flowreasoner_training.threads import threads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from transformers import PreTrainedTokenizerBase

    from flowreasoner.models import ChatModel
    from flowreasoner.query import Query
    from flowreasoner.sandbox import Sandbox
    from flowreasoner_plugins import Plugins
    from flowreasoner_training.grpo.log import Observer
    from flowreasoner_training.grpo.sampling import Sampling
    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["GrpoResult", "make_trainer", "train_grpo"]


@dataclass(frozen=True, slots=True)
class GrpoResult:
    """A finished training.

    Attributes:
        model: Folder of the trained model.
        steps: Optimizer steps behind it.
        log: The log, a JSON object per step.
        metrics: The last step's.
    """

    model: Path
    steps: int
    log: Path
    metrics: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Returns the result as a JSON object."""
        return {"model": str(self.model), "steps": self.steps, "log": str(self.log), "metrics": self.metrics}


@less_noise()
def train_grpo(
    recipe: Recipe,
    model: Path,
    queries: Sequence[Query],
    worker: ChatModel | str,
    out: Path,
    *,
    resume: bool = False,
    plugins: Plugins | None = None,
    sandbox: Sandbox | None = None,
    observers: Sequence[Observer] = (),
) -> GrpoResult:
    """Trains a meta-agent with a reward per round.

    Args:
        recipe: All settings.
        model: Folder of the fine-tuned model, which the KL divergence is measured from, too.
        queries: With feedback tests or a metric.
        worker: Runs operators: a model, or a URI.
        out: Folder for the trained model, ``log.jsonl``, and checkpoints.
        resume: Go on after the last whole checkpoint in `out`: the same steps as without the interruption.
        plugins: Where schemes, operators and reward terms come from; those that are installed unless given.
        sandbox: Runs code; the recipe's tier unless given.
        observers: Called with a `flowreasoner_training.grpo.log.GrpoEvent` as rounds and steps end.

    Raises:
        TrainingError: If training cannot start or go on, or `out` holds another training; the message names step,
            checkpoint and remedy.
        QueryError: If a query or reward term cannot be used.
        ModelError: If the worker cannot be made.
        IsolationUnavailable: If there is no sandbox of the recipe's tier.
    """
    settings = decisive(recipe, model)
    checkpoint = _checkpoint(out, settings, resume=resume)
    plugins = plugins or load_plugins()
    source = ModelSource(worker, "worker", plugins)
    box = sandbox or make_sandbox(plugins, recipe.worker.sandbox or "best")
    with threads(recipe.hardware.threads), BackgroundLoop() as loop:
        try:
            rows = QueryRows(recipe, queries, source.of, GradedOnce(box), plugins.operators, plugins.reward_terms)
            trainer = make_trainer(recipe, model, rows, out, loop, observers)
            if not resume and _is_first():
                begin(out, settings)  # only now: a training that cannot start leaves no folder
            with clear_ends(trainer, out):
                trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
                with guarded(out):
                    trainer.save_model(str(out))
                    drop_pickle(out)
        finally:
            loop.run(source.aclose())
            if sandbox is None:
                loop.run(box.aclose())
    last = {} if not trainer.state.log_history else _last_line(out / "log.jsonl")
    return GrpoResult(out, trainer.state.global_step, out / "log.jsonl", last)


def decisive(recipe: Recipe, model: Path) -> dict[str, Any]:
    """Returns what decides the steps of a training; where it ends and what it runs on may change on the way."""
    sections = recipe.model_dump(mode="json", include={"model", "queries", "rewards", "grpo"})
    del sections["model"]["name"]  # which `model` stands for
    named = {f"{section}.{name}": value for section, own in sections.items() for name, value in own.items()}
    runs = {"worker.calls": recipe.worker.calls, "grpo.evaluations": recipe.grpo_evaluations}
    open_ended = {"grpo.epochs", "grpo.max_steps", "grpo.save_steps"}
    if recipe.grpo.schedule == "linear":  # each step's learning rate depends on how many there are
        open_ended -= {"grpo.epochs", "grpo.max_steps"}
    settings = {"model": str(model.resolve()), "seed": recipe.seed, **named, **runs}
    return {name: value for name, value in settings.items() if name not in open_ended}


def _is_first() -> bool:
    """Tells whether this is the one of several processes that writes."""
    return os.environ.get("RANK", "0") == "0"


def _checkpoint(out: Path, settings: dict[str, Any], *, resume: bool) -> Path | None:
    """Returns the checkpoint to go on from; the log then ends where it does."""
    log = out / "log.jsonl"
    if not resume:
        if log.exists() or any(out.glob("checkpoint-*")):
            raise TrainingError(f"{str(out)!r} holds a training already; go on with --resume, or choose another --out")
        return None
    if not out.is_dir():
        raise TrainingError(f"there is no training in {str(out)!r} to resume; leave out --resume to start one")
    check_same(out, settings)
    checkpoint = last_checkpoint(out)
    if checkpoint is None:
        logging.getLogger(__name__).warning("%s holds no whole checkpoint; training starts at its first step", out)
    if _is_first():
        keep_lines(log, step_of(checkpoint))
    return checkpoint


def make_trainer(
    recipe: Recipe, model: Path, rows: QueryRows, out: Path, loop: BackgroundLoop, observers: Sequence[Observer]
) -> RoundGRPOTrainer:
    """Puts the trainer together."""
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # rollout_func; a test holds what is relied on
    trained = policy(recipe, model)
    tokenizer = AutoTokenizer.from_pretrained(model, padding_side="left")
    use_training_template(tokenizer, recipe.model.chat_template)
    data = rows.rows()
    _check_sizes(recipe, data, tokenizer, rows)
    order = rows.order()
    steps = len(order) // recipe.grpo.queries_per_step * recipe.grpo.iterations
    steps = min(steps, recipe.grpo.max_steps or steps)
    epochs = len(order) / len(data)
    log = StepLog(out / "log.jsonl", HazardWatch(recipe.grpo), observers, epochs=epochs)
    rollouts = Rollouts(
        rows.environment,
        FeedbackTurns(tokenizer),
        recipe.grpo,
        loop,
        sampling=_sampling(recipe, model, tokenizer),
        concurrency=max(1, recipe.worker.concurrency // recipe.grpo_evaluations),
        seed=recipe.seed,
        report=lambda made, of: log.tell(RoundMade(trainer.state.global_step + 1, made, of)),
    )
    trainer = RoundGRPOTrainer(
        settings=recipe.grpo,
        terms=rows.weighted_terms,
        reward_funcs=mean_reward,
        args=grpo_config(recipe, out, steps),
        train_dataset=Dataset.from_list(data).select(order),
        processing_class=tokenizer,
        rollout_func=rollouts,
        callbacks=[log, MarkWhole()],
        **trained,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _sampling(recipe: Recipe, model: Path, tokenizer: PreTrainedTokenizerBase) -> Sampling:
    """Returns what the recipe says the policy is sampled with."""
    if recipe.hardware.generation != "embedded":
        return TrainerSampling()
    end = tokenizer.eos_token_id
    assert isinstance(end, int)  # noqa: S101 - every chat model's tokenizer has one
    return EmbeddedSampling(model, end, recipe.grpo.temperature)


def _check_sizes(
    recipe: Recipe, data: Sequence[dict[str, Any]], tokenizer: PreTrainedTokenizerBase, rows: QueryRows
) -> None:
    """Looks, before anything is computed, whether there are queries for a step and whether their tasks leave room."""
    settings = recipe.grpo
    if len(data) < settings.queries_per_step:
        raise TrainingError(
            f"there are {len(data)} queries, and a step takes {settings.queries_per_step}; "
            "give more queries, or lower grpo.queries_per_step"
        )
    for row in data:
        ids = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=False)
        if len(ids) + settings.round_tokens > settings.max_tokens:
            raise TrainingError(
                f"the task of query {rows.queries[row['query']].id!r} takes {len(ids)} tokens, which leaves no room "
                f"for a round of {settings.round_tokens} within {settings.max_tokens}; raise grpo.max_tokens"
            )


def _last_line(log: Path) -> dict[str, float]:
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return dict(json.loads(lines[-1])) if lines else {}
