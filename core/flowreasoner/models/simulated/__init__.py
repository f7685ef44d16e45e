"""``sim:``, a *simulated* worker and meta-agent: for development and tests without any model.

Nothing here thinks. The simulated worker draws from a pool of solutions of known quality; the simulated
meta-agent walks through a catalogue of workflows and reacts to the score. Every result made with them says
that it is simulated.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from flowreasoner.errors import ModelRefused
from flowreasoner.models.simulated.meta_agent import SimulatedMetaAgent
from flowreasoner.models.simulated.pool import SolutionPool
from flowreasoner.models.simulated.worker import Faults, SimulatedWorker

if TYPE_CHECKING:
    from flowreasoner.models.base import ChatModel
    from flowreasoner.models.uri import ModelContext, ModelURI

__all__ = ["Faults", "SimulatedMetaAgent", "SimulatedWorker", "SolutionPool", "simulated_model"]

_OPTIONS = ("answers", "errors", "latency", "malformed", "repair", "seed", "skill")


def simulated_model(uri: ModelURI, context: ModelContext) -> ChatModel:
    """Makes the simulated model of a ``sim:`` URI.

    Args:
        uri: Options: ``skill`` and ``repair``, the chance that a first or a corrected solution is right;
            ``errors`` and ``malformed``, the share of failing and of unreadable replies; ``latency`` in
            seconds; ``seed``; ``answers``, a JSONL file of recorded answers, whose share of right ones is then the
            chance for each problem, unless ``skill`` or ``repair`` say otherwise.
        context: The role, and the query whose reference solution the worker varies.

    Raises:
        ModelRefused: If an option is unknown or out of range.
        QueryError: If the file of answers cannot be read.
    """
    uri.expect(_OPTIONS)
    faults = Faults(*(uri.number(name, 0.0) or 0.0 for name in ("errors", "malformed", "latency")))
    seed = int(uri.number("seed", context.seed) or 0)
    recorded = "answers" in uri.options
    skill, repair = (_chance(uri, name, None if recorded else rate) for name, rate in (("skill", 0.4), ("repair", 0.6)))
    if context.role == "meta_agent":
        return SimulatedMetaAgent(seed=seed, faults=faults)
    pool = _recorded(uri.options["answers"]).copy() if recorded else SolutionPool()
    if context.query is not None:
        pool.add_query(context.query)
    return SimulatedWorker(pool, skill=skill, repair=repair, seed=seed, faults=faults)


@lru_cache(maxsize=4)
def _recorded(path: str) -> SolutionPool:
    """Reads a file of recorded answers, once for all queries."""
    pool = SolutionPool()
    pool.add_recorded(path)
    return pool


def _chance(uri: ModelURI, name: str, default: float | None) -> float | None:
    value = uri.number(name)
    if value is not None and not 0 <= value <= 1:
        raise ModelRefused(f"sim: {name} must be between 0 and 1, got {value:g}")
    return default if value is None else value
