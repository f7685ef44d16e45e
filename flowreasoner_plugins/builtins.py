"""The built-ins, registered through the same hooks that third parties use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from flowreasoner_plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from flowreasoner.baselines import Fittable
    from flowreasoner.benchmark import Benchmark
    from flowreasoner.designers import Designer
    from flowreasoner.models import ModelFactory
    from flowreasoner.operators import Operator
    from flowreasoner.reward import RewardTerm
    from flowreasoner_plugins.manager import DesignerFactory, MethodFactory, SandboxFactory


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
    """Returns FlowReasoner itself, and the designers that it is compared with; workflows by hand are run once."""
    from flowreasoner.designers import FixedWorkflow, FlowReasoner
    from flowreasoner.designers.manual import MANUAL

    def flowreasoner(*, small: bool = False, **settings: Any) -> FlowReasoner:
        del small  # it asks in the one conversation that small meta-agents know
        return FlowReasoner(**settings)

    def autoagents(*, small: bool = False, **_: Any) -> Designer:
        from flowreasoner.baselines.autoagents import AutoAgents

        return AutoAgents(wording="operators" if small else "published")

    def fixed(name: str, *, small: bool = False, **_: Any) -> FixedWorkflow:
        if not small:
            return FixedWorkflow(MANUAL[name].workflow, name=name)
        from flowreasoner.baselines.small import SMALL_MANUAL

        return FixedWorkflow(SMALL_MANUAL[name], name=name)

    return {
        "flowreasoner": flowreasoner,
        "autoagents": autoagents,
        **{name: partial(fixed, name) for name in MANUAL},
    }


@hookimpl
def flowreasoner_methods() -> Mapping[str, MethodFactory]:
    """Returns the searches for one workflow for a whole task that FlowReasoner is compared with."""

    def aflow(*, small: bool = False, **settings: Any) -> Fittable:
        from flowreasoner.baselines.aflow import AFlow
        from flowreasoner.baselines.small import SMALL_START

        asking: dict[str, Any] = {"wording": "conversation", "start": SMALL_START} if small else {}
        return AFlow(**asking | settings)

    def adas(*, small: bool = False, **settings: Any) -> Fittable:
        from flowreasoner.baselines.adas import ADAS
        from flowreasoner.baselines.small import SMALL_SEEDS

        asking: dict[str, Any] = {"wording": "conversation", "seeds": SMALL_SEEDS} if small else {}
        return ADAS(**asking | settings)

    return {"aflow": aflow, "adas": adas}


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
    from flowreasoner.sandbox import TIERS, make_sandbox

    return {tier: partial(make_sandbox, tier) for tier in TIERS}
