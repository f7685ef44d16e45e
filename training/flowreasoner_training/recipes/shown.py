"""Shows a plan as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowreasoner_plugins.cli.wording import money
from flowreasoner_training.recipes.sizes import GIB, billions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flowreasoner_training.recipes.launch import Command
    from flowreasoner_training.recipes.plan import Plan
    from flowreasoner_training.recipes.sizes import MemoryPlan
    from flowreasoner_training.recipes.stages import StagePlan

__all__ = ["shown_plan"]


def shown_plan(plan: Plan, commands: Sequence[Command]) -> str:
    """Returns a plan as text, with the commands that run it."""
    recipe = plan.recipe
    size = "parameters not known" if plan.parameters is None else f"{billions(plan.parameters)} parameters"
    lines = [recipe.name, recipe.description, f"{recipe.model.name}, {size}; {_machine(plan)}"]
    for stage in plan.stages:
        lines += ["", *_stage(stage)]
    if plan.server is not None:
        lines += ["", *_memory("memory of each of the server's GPUs", plan.server)]
    lines += ["", "assumed, on average:", *_assumed(plan), "", "commands:"]
    for command in commands:
        lines += [f"  # {command.what}", f"  {command.text}"]
    return "\n".join(lines)


def _machine(plan: Plan) -> str:
    hardware = plan.recipe.hardware
    if hardware.device == "cpu":
        return "on a CPU"
    text = (
        f"{hardware.nodes} x {hardware.gpus} {hardware.device}"
        if hardware.nodes > 1
        else f"{hardware.gpus} {hardware.device}"
    )
    more = f" and {hardware.server_gpus} for vLLM" if hardware.generation == "vllm-server" else ""
    return f"{text}{more}, sharding {hardware.sharding}, generation {hardware.generation}"


def _stage(stage: StagePlan) -> Iterable[str]:
    yield stage.name
    for name, count in stage.counts.items():
        yield f"  {name:<26}{count:>16,}"
    for model, usd in stage.usd.items():
        yield f"  {model:<26}{_price(usd):>16}"
    if stage.memory is not None:
        yield from _memory("  memory of each GPU" if stage.memory.usable else "  memory", stage.memory)


def _price(usd: float | None) -> str:
    return "price unknown" if usd is None else money(usd) if usd else "own machine"


def _memory(title: str, memory: MemoryPlan) -> Iterable[str]:
    yield f"{title}, GiB"
    for item in memory.items:
        when = "" if item.phase == "always" else f" [{item.phase} only]"
        yield f"    {item.name:<24}{item.size / GIB:>8.2f}  {item.how}{when}"
    verdict = {True: "fits", False: "DOES NOT FIT", None: ""}[memory.fits]
    of = f"of {memory.usable / GIB:.0f}: {verdict}" if memory.usable else ""
    yield f"    {'at the fullest':<24}{memory.peak / GIB:>8.2f}  {of}".rstrip()
    if memory.host:
        yield f"    {'memory of each host':<24}{memory.host / GIB:>8.2f}  for the optimizer"
    if memory.fits is False:
        yield f"    {memory.remedy}"


def _assumed(plan: Plan) -> Iterable[str]:
    assumed = plan.assumptions
    tokens = f"{assumed.call_input:,} tokens read and {assumed.call_output:,} written"
    yield f"  {assumed.calls_per_run:g} worker calls per run, each {tokens}"
    yield (
        f"  {assumed.reply:,} tokens of a meta-agent per round; {assumed.prompt:,} of instruction and query, "
        f"{assumed.feedback:,} of feedback"
    )
    yield "  every round is made and every trajectory kept; prices are list prices, without caching"
    if plan.shape is None:
        yield "  the model's shape is not known: activations and caches are left out"
