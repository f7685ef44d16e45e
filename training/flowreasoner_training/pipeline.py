"""Runs a whole recipe, from queries to a trained meta-agent: every stage once, whatever interrupts it."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import TrainingError
from flowreasoner_training.files import make_folder, write_atomically
from flowreasoner_training.queries import training_queries

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flowreasoner.query import Query
    from flowreasoner_plugins import Plugins
    from flowreasoner_training.recipes.schema import Recipe

__all__ = ["Pipeline", "Stage", "stages_of"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A finished stage.

    Attributes:
        name: Its name, which is also its folder.
        seconds: Wall-clock time of the session that finished it.
        facts: What it came to.
    """

    name: str
    seconds: float
    facts: dict[str, Any] = field(default_factory=dict)


def stages_of(recipe: Recipe) -> tuple[str, ...]:
    """Returns the names of a recipe's stages, in order."""
    if recipe.nano is None:
        return ("distill", "sft", "grpo")
    return ("worker", "distill", "start", "sft", "grpo", "pair")


class Pipeline:
    """A training in a folder: distil, SFT, GRPO; with ``nano``, also the models from nothing, and the shipped pair.

    Args:
        recipe: All settings; a folder that holds a training of another recipe is refused.
        out: Folder for everything, one subfolder a stage.
        plugins: Where benchmarks, models and reward terms come from.
        tell: Called with the name of the stage and a line of progress.

    Raises:
        TrainingError: If the folder cannot be written, or holds another training.
    """

    def __init__(self, recipe: Recipe, out: Path, plugins: Plugins, tell: Callable[[str, str], None]) -> None:
        self.recipe, self.out, self.plugins, self.tell = recipe, out, plugins, tell
        make_folder(out)
        given, kept = recipe.model_dump_json(indent=1), out / "recipe.json"
        if kept.exists() and kept.read_text(encoding="utf-8") != given:
            raise TrainingError(
                f"{str(out)!r} holds a training of another recipe, or of other settings ({kept.name} has them); "
                "choose another --out"
            )
        write_atomically(kept, [given])
        log = out / "stages.json"
        self.done = [Stage(**item) for item in json.loads(log.read_text(encoding="utf-8"))] if log.exists() else []

    def run(self, until: str | None = None) -> list[Stage]:
        """Runs the stages that are not done yet.

        Args:
            until: Last stage to run; all of them unless given.

        Returns:
            All finished stages.

        Raises:
            TrainingError: If a stage cannot go on; what is finished is kept.
            ModelError: If a model cannot be used.
            SandboxError: If the sandbox fails.
        """
        from flowreasoner_training.noise import less_noise

        for name in stages_of(self.recipe):
            if name in {stage.name for stage in self.done}:
                self.tell(name, "finished before")
            else:
                start = time.monotonic()
                with less_noise():
                    facts = getattr(self, f"_{name}")()
                self.done.append(Stage(name, round(time.monotonic() - start, 1), facts))
                items = [{"name": item.name, "seconds": item.seconds, "facts": item.facts} for item in self.done]
                write_atomically(self.out / "stages.json", [json.dumps(items, indent=1)])
            if name == until:
                break
        return self.done

    # --- what the stages share ---

    def _in(self, stage: str) -> Callable[[str], None]:
        return lambda line: self.tell(stage, line)

    def _worker_uri(self) -> str:
        return self.recipe.worker.model if self.recipe.nano is None else f"embedded:{self.out / 'worker' / 'embedded'}"

    def _queries(self) -> list[Query]:
        return training_queries(self.recipe, self.plugins)

    @property
    def _data(self) -> Path:
        return self.out / "distill" / "trajectories.jsonl"

    # --- the stages ---

    def _worker(self) -> dict[str, Any]:
        from flowreasoner_training.nano.stages import train_worker

        assert self.recipe.nano is not None  # noqa: S101 - its stage
        return train_worker(self.recipe.nano, self.recipe.seed, self.out / "worker", self._in("worker"))

    def _distill(self) -> dict[str, Any]:
        from flowreasoner_training.distill import DistillProgress, distill

        def report(progress: DistillProgress) -> None:
            if progress.done % max(1, progress.total // 20) == 0 or progress.done == progress.total:
                self.tell("distill", f"{progress.done}/{progress.total} design runs, {progress.kept} kept")

        made = asyncio.run(
            distill(
                self.recipe,
                self._queries(),
                self.out / "distill",
                worker=self._worker_uri(),
                plugins=self.plugins,
                report=report,
            )
        )
        if not made.kept or made.made < made.total:
            raise TrainingError(
                f"{made.made} of {made.total} design runs were made and {made.kept} kept, too few to train on; "
                "the card in the folder distill says why; raise distill.budget_usd or lower distill.min_score"
            )
        return {"made": made.made, "kept": made.kept, "usd": made.cost.usd}

    def _start(self) -> dict[str, Any]:
        from flowreasoner_training.nano.stages import make_meta_agent

        operators = self.plugins.operators.values()
        return make_meta_agent(self.recipe, self._data, operators, self.out / "start", self._in("start"))

    def _sft(self) -> dict[str, Any]:
        from flowreasoner_training.sft import SftProgress, train_sft

        def report(progress: SftProgress) -> None:
            if progress.step % max(1, progress.steps // 20) == 0 or progress.step == progress.steps:
                self.tell("sft", f"step {progress.step}/{progress.steps}: loss {progress.loss:.3f}")

        base = self.recipe.model.name if self.recipe.nano is None else self.out / "start"
        out = self.out / "sft"
        result = train_sft(self.recipe, self._data, out, model=base, resume=True, report=report)
        return {"steps": result.steps, "trajectories": result.trajectories, "loss": result.loss}

    def _grpo(self) -> dict[str, Any]:
        from flowreasoner_training.grpo.progress import StepLines
        from flowreasoner_training.grpo.train import train_grpo

        out = self.out / "grpo"
        result = train_grpo(
            self.recipe,
            self.out / "sft" / "model",
            self._queries(),
            self._worker_uri(),
            out,
            resume=(out / "log.jsonl").exists(),
            plugins=self.plugins,
            observers=[StepLines(self._in("grpo"))],
        )
        return {"steps": result.steps, "metrics": result.metrics}

    def _pair(self) -> dict[str, Any]:
        from flowreasoner_training.nano.stages import export_pair
        from flowreasoner_training.nano.story import card_of

        shutil.rmtree(self.out / "pair", ignore_errors=True)
        facts = export_pair(self.out / "worker", self.out / "sft" / "model", self.out / "grpo", self.out / "pair")
        made = {stage.name: stage.facts for stage in self.done}
        parameters = {"worker": made["worker"]["parameters"], "meta_agent": made["start"]["parameters"]}
        write_atomically(self.out / "pair" / "card.md", [card_of(self.recipe, self.out, parameters)])
        return facts
