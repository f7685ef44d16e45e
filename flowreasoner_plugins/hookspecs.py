"""Every hook of FlowReasoner, for plugin authors; docs/plugins.md shows one example each.

Implement a hook with `flowreasoner_plugins.hookimpl` in a module or object and name that in the entry-point
group ``flowreasoner``. Import heavy things inside your functions, not at the top of the module: hooks are
loaded for every command, also for ``--help``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from flowreasoner.benchmark import Benchmark
    from flowreasoner.events import Observer
    from flowreasoner.models import ModelFactory
    from flowreasoner.operators import Operator
    from flowreasoner.query import Metric, SuiteReader
    from flowreasoner.reward import RewardTerm
    from flowreasoner_plugins.manager import BackendFactory, DesignerFactory, MethodFactory, SandboxFactory

__all__ = ["PROJECT", "hookimpl", "hookspec"]

PROJECT = "flowreasoner"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def flowreasoner_operators() -> Iterable[Operator]:  # type: ignore[empty-body]
    """Returns operators that workflows may use besides the built-in ones."""


@hookspec
def flowreasoner_chat_models() -> Mapping[str, ModelFactory]:  # type: ignore[empty-body]
    """Returns factories of chat models by URI scheme: ``{"mine": factory}`` serves ``--worker mine:NAME``."""


@hookspec
def flowreasoner_designers() -> Mapping[str, DesignerFactory]:  # type: ignore[empty-body]
    """Returns factories of designers by name, for ``--designer NAME``.

    A factory is called with ``rounds``, ``evaluations`` and ``early_stop``, and with ``small=True`` where models are as
    small as the embedded ones; one that does not take the latter is not offered to them.
    """


@hookspec
def flowreasoner_methods() -> Mapping[str, MethodFactory]:  # type: ignore[empty-body]
    """Returns factories of methods that are fitted before they design, for ``flowreasoner bench --designer NAME``.

    A factory returns a `flowreasoner.baselines.Fittable`. It is called with ``small``, whether models are as small as
    the embedded ones, and with settings of the method's own (``--set NAME.SETTING=VALUE``).
    """


@hookspec
def flowreasoner_backends() -> Mapping[str, BackendFactory]:  # type: ignore[empty-body]
    """Returns factories of backends by name, for ``flowreasoner export --to NAME``."""


@hookspec
def flowreasoner_test_formats() -> Mapping[str, SuiteReader]:  # type: ignore[empty-body]
    """Returns readers of further test formats by name: ``reader(source, entry_point) -> Suite``."""


@hookspec
def flowreasoner_metrics() -> Mapping[str, Metric]:  # type: ignore[empty-body]
    """Returns metrics by name, for ``--metric NAME``: ``score(query, answer) -> float``, also async."""


@hookspec
def flowreasoner_reward_terms() -> Mapping[str, RewardTerm]:  # type: ignore[empty-body]
    """Returns further terms of the reward by name, for the recipes of training."""


@hookspec
def flowreasoner_benchmarks() -> Iterable[Benchmark]:  # type: ignore[empty-body]
    """Returns benchmarks, for ``flowreasoner solve NAME:TASK``."""


@hookspec
def flowreasoner_sandboxes() -> Mapping[str, SandboxFactory]:  # type: ignore[empty-body]
    """Returns factories of sandboxes by tier, for ``--sandbox TIER``."""


@hookspec
def flowreasoner_observers() -> Iterable[Observer]:  # type: ignore[empty-body]
    """Returns functions that are called with each event of a design run."""


@hookspec
def flowreasoner_commands() -> Iterable[click.Command]:  # type: ignore[empty-body]
    """Returns further commands of the command line."""
