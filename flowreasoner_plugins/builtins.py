"""The built-ins, registered through the same hooks that third parties use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from flowreasoner_plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from flowreasoner.benchmark import Benchmark
    from flowreasoner.models import ModelFactory
    from flowreasoner.operators import Operator
    from flowreasoner.reward import RewardTerm
    from flowreasoner_plugins.manager import DesignerFactory, SandboxFactory


@hookimpl
def flowreasoner_operators() -> Iterable[Operator]:
    """Returns the ten operators of the core."""
    from flowreasoner.operators import BUILTIN

    return BUILTIN.values()


@hookimpl
def flowreasoner_chat_models() -> Mapping[str, ModelFactory]:
    """Returns the endpoints, the embedded models and the simulation."""
    from flowreasoner.models import SCHEMES

    return SCHEMES


@hookimpl
def flowreasoner_designers() -> Mapping[str, DesignerFactory]:
    """Returns FlowReasoner itself, and the workflows by hand that it is compared with; those are run once."""
    from flowreasoner.designers import FixedWorkflow, FlowReasoner
    from flowreasoner.designers.manual import MANUAL

    def fixed(name: str) -> DesignerFactory:
        return lambda **_: FixedWorkflow(MANUAL[name].workflow, name=name)

    return {"flowreasoner": FlowReasoner, **{name: fixed(name) for name in MANUAL}}


@hookimpl
def flowreasoner_reward_terms() -> Mapping[str, RewardTerm]:
    """Returns the paper's terms."""
    from flowreasoner.reward import TERMS

    return TERMS


@hookimpl
def flowreasoner_benchmarks() -> Iterable[Benchmark]:
    """Returns the project's own dozen problems, the miniature family, and what others publish."""
    from flowreasoner_plugins import benchmarks

    return [getattr(benchmarks, name) for name in benchmarks.__all__]


@hookimpl
def flowreasoner_sandboxes() -> Mapping[str, SandboxFactory]:
    """Returns the tiers of the core."""
    from functools import partial

    from flowreasoner.sandbox import TIERS, make_sandbox

    return {tier: partial(make_sandbox, tier) for tier in TIERS}
