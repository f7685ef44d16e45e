"""Who is compared: a designer, with its meta-agent where it has one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowreasoner.models import ChatModel
from flowreasoner.query import Query

if TYPE_CHECKING:
    from flowreasoner.designers import Designer

__all__ = ["Contender", "ModelFor"]

ModelFor = Callable[[Query, int], ChatModel]
"""Gives the model for a query and a seed; mostly always the same one."""


@dataclass(frozen=True)
class Contender:
    """One that tries every query.

    Attributes:
        name: Short name, e.g. ``grpo``.
        designer: Turns a query into a workflow.
        meta_agent: The meta-agent, where the designer uses one.
        checkpoint: Which of several under this name it is, e.g. of a training's seeds.
        run_again: Whether the chosen workflow is run once more, on its own.
    """

    name: str
    designer: Designer
    meta_agent: ModelFor | None = None
    checkpoint: str = ""
    run_again: bool = True
