"""AFlow's mode of the optimizer: one workflow for a task, each round a change of an earlier one."""

from __future__ import annotations

import random
from datetime import datetime
from typing import TYPE_CHECKING

from flowreasoner.errors import QueryError, StoreError
from flowreasoner.workflow import Workflow
from flowreasoner_adapters.aflow.experience import choose_father, converged, processed_experience, told
from flowreasoner_adapters.aflow.proposals import propose
from flowreasoner_adapters.aflow.reading import Experience, Result, read_results, read_round
from flowreasoner_adapters.aflow.workspace import write_json, write_refused, write_round, write_template

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from flowreasoner.sandbox import Sandbox
    from flowreasoner_adapters.aflow.optimizer import Optimizer
    from flowreasoner_adapters.aflow.reading import RoundFolder

__all__ = ["TaskSearch"]

_SEEDS = {
    "code": (
        "        reply = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction='')\n",
        "problem, entry_point",
    ),
    "other": ("        reply = await self.custom(input=problem, instruction='')\n", "problem"),
}
_LOGGED = 3


class TaskSearch:
    """Adds rounds to a workspace, and scores its best one.

    Args:
        optimizer: Its settings, models and data.
        sandbox: Runs code.
    """

    def __init__(self, optimizer: Optimizer, sandbox: Sandbox) -> None:
        self.optimizer, self.sandbox = optimizer, sandbox

    @property
    def _folder(self) -> Path:
        return self.optimizer.root_path / "workflows"

    async def add_rounds(self) -> None:
        """Evaluates the first round, and adds as many as the optimizer says; what is finished is left as it is.

        Raises:
            QueryError: If there is nothing to go on from.
            StoreError: If a file cannot be read or written.
        """
        template = self._folder / "template"
        if not (template / "operator.json").exists():
            write_template(template, self.optimizer.operators.values())
        if not (self._folder / "round_1" / "graph.py").exists():
            write_round(
                self._folder / "round_1",
                self._seed_workflow(),
                layout=self.optimizer.layout,
                dataset=self.optimizer.dataset,
            )
        await self._evaluate_round(1)
        for number in range(self.optimizer.round + 1, self.optimizer.round + self.optimizer.max_rounds + 1):
            if not (self._folder / f"round_{number}" / "experience.json").exists():
                await self._propose(number)
            await self._evaluate_round(number)
            self._learn(number)
            if self.optimizer.check_convergence and self._converged():
                break

    def _converged(self) -> bool:
        by_round: dict[int, list[float]] = {}
        for row in self._results():
            by_round.setdefault(row.round, []).append(row.score)
        return converged([by_round[number] for number in sorted(by_round)])

    def _seed_workflow(self) -> Workflow:
        body, parameters = _SEEDS[
            "code" if self.optimizer.type == "code" and "CustomCodeGenerate" in self.optimizer.operators else "other"
        ]
        if "custom_code_generate" not in body and "Custom" not in self.optimizer.operators:
            raise QueryError(f"there is no round_1 in {str(self._folder)!r}, and none can be made without Custom")
        header = f"class Workflow:\n    async def __call__(self, {parameters}):\n"
        return Workflow.parse(f"{header}{body}        return reply['response']\n")

    async def _propose(self, number: int) -> None:
        """Asks for a round's workflow and writes it down; `experience.json` comes last, and says that it is there."""
        space = self.optimizer.workspace()
        usable = {item.number: item for item in space.rounds if item.workflow is not None}
        scores = {key: score for key, score in space.scores.items() if key in usable and key < number}
        if not scores:
            raise QueryError(
                f"no round in {str(self._folder)!r} has a workflow to go on from: {list(space.problems)[:3]}"
            )
        source = random.Random(f"{self.optimizer.seed}/r{number}")  # noqa: S311 - reproducible on purpose
        father = choose_father(scores, self.optimizer.sample, source)
        known = _experiences(space.rounds)
        log = list(usable[father].log)
        proposal = await propose(
            self.optimizer.model("meta_agent"),
            usable[father],
            scores[father],
            kind=self.optimizer.type,
            experience=told(processed_experience(known), father),
            tried={item.modification for item in known.values() if item.father == father},
            log=source.sample(log, min(_LOGGED, len(log))),
            operators=self.optimizer.operators,
            draw=f"{self.optimizer.seed}/r{number}",
        )
        self.optimizer.spent += proposal.spent
        folder = self._folder / f"round_{number}"
        if proposal.workflow is None:
            write_refused(folder, proposal.graph, proposal.prompt, proposal.diagnostics)
        else:
            write_round(
                folder, proposal.workflow, layout=self.optimizer.layout, dataset=self.optimizer.dataset, number=number
            )
        experience = Experience(father, proposal.modification, scores[father])
        write_json(folder / "experience.json", experience.to_json())

    async def _evaluate_round(self, number: int) -> None:
        """Makes the evaluations of a round that `results.json` does not have yet."""
        done = sum(row.round == number for row in self._results())
        if done >= self.optimizer.validation_rounds:
            return
        folder = self._folder / f"round_{number}"
        workflow = next(item.workflow for item in self.optimizer.workspace().rounds if item.number == number)
        if workflow is None and done:
            return
        if workflow is None:
            if number == 1:
                raise QueryError(f"the graph in {str(folder)!r} is no workflow: `flowreasoner check` says why")
            self._keep(Result(number, 0.0, time=f"{datetime.now()}"))  # a refused workflow, once
            return
        for index in range(done + 1, self.optimizer.validation_rounds + 1):
            outcomes = await self.optimizer.evaluate(
                workflow, self.optimizer.data.validation, self.sandbox, f"{self.optimizer.seed}/r{number}/e{index}"
            )
            failed = [item.log_entry() for item in outcomes if item.score < 1]
            write_json(folder / "log.json", [*read_round(folder).log, *failed])
            self._keep(self.optimizer.write_outcomes(folder, number, outcomes))

    def _results(self, folder: Path | None = None) -> list[Result]:
        problems: list[str] = []
        rows = read_results(folder or self._folder, problems)
        if problems:  # to go on would overwrite it
            raise StoreError(f"in {str(folder or self._folder)!r}, {problems[0]}; mend it or remove it")
        return rows

    def _keep(self, row: Result, folder: Path | None = None) -> None:
        rows = [*self._results(folder), row]
        write_json((folder or self._folder) / "results.json", [item.to_json() for item in rows])

    def _learn(self, number: int) -> None:
        """Completes a round's experience, and the summary of all."""
        space = self.optimizer.workspace()
        item = next(item for item in space.rounds if item.number == number)
        if item.experience is None:
            raise StoreError(f"{str(item.path / 'experience.json')!r} cannot be read: {list(item.problems)}")
        after = space.scores[number]
        known = item.experience
        done = Experience(known.father, known.modification, known.before, after, after > known.before)
        write_json(item.path / "experience.json", done.to_json())
        summary = processed_experience({**_experiences(space.rounds), number: done})
        write_json(self._folder / "processed_experience.json", summary)

    async def test_best(self) -> None:
        """Scores the best round on the test data.

        Raises:
            QueryError: If no round was evaluated yet.
        """
        best = self.optimizer.workspace().best
        if best is None or best.workflow is None:
            raise QueryError(f"no round in {str(self._folder)!r} was evaluated: call optimize('Graph') first")
        folder = self.optimizer.root_path / "workflows_test"
        write_round(
            folder / best.path.name,
            best.workflow,
            layout=self.optimizer.layout,
            dataset=self.optimizer.dataset,
            number=best.number,
        )
        done = sum(row.round == best.number for row in self._results(folder))
        for index in range(done + 1, self.optimizer.test_runs + 1):
            draw = f"{self.optimizer.seed}/t{best.number}/e{index}"
            outcomes = await self.optimizer.evaluate(best.workflow, self.optimizer.data.test, self.sandbox, draw)
            self._keep(self.optimizer.write_outcomes(folder / best.path.name, best.number, outcomes), folder)


def _experiences(rounds: Iterable[RoundFolder]) -> dict[int, Experience]:
    return {item.number: item.experience for item in rounds if item.experience is not None}
