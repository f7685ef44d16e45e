"""What fitting MaAS gives: a designer that samples one architecture for each query."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from flowreasoner.baselines.one_round import design_in_one_round, proposal_of
from flowreasoner_training.baselines.maas.supernet import workflow_of

if TYPE_CHECKING:
    from flowreasoner.baselines.words import Words
    from flowreasoner.designers import Design, Workbench
    from flowreasoner.designers.proposal import Proposal
    from flowreasoner.query import Query
    from flowreasoner_training.baselines.maas.controller import Controller
    from flowreasoner_training.baselines.maas.embedding import Embedder

__all__ = ["MaASDesigner"]


@dataclass(frozen=True)
class MaASDesigner:
    """Samples an architecture from the supernet for each query, without a meta-agent.

    Attributes:
        controller: The fitted controller.
        embed: Gives the vector of a query's text, as in the fitting.
        words: What the worker is told.
        evaluations: Runs of the workflow.
        name: What it is called.
    """

    controller: Controller
    embed: Embedder
    words: Words
    evaluations: int = 1
    name: str = "maas"

    async def design(self, query: Query, bench: Workbench) -> Design:
        """Designs a workflow for a query; see `flowreasoner.designers.Designer.design`."""

        async def propose(query: Query) -> Proposal:
            roll = random.Random(f"{bench.seed}/maas/{query.problem}")  # noqa: S311 - reproducible on purpose
            architecture = self.controller.sample(torch.tensor(self.embed(query.problem)), roll)
            graph, prompts = workflow_of(architecture, self.words, query.feedback is not None)
            told = "Sampled layer by layer: " + "; ".join(", ".join(layer) for layer in architecture) + "."
            return proposal_of(told, graph, prompts, bench)

        return await design_in_one_round(query, bench, propose, self.evaluations)
