"""Implements every hook of FlowReasoner once."""

import click

from flowreasoner import Query, Suite
from flowreasoner.events import DesignEnded
from flowreasoner.models import FunctionModel
from flowreasoner.operators import Operator, OperatorField
from flowreasoner.sandbox import Pool
from flowreasoner_plugins import hookimpl

HEARD = []


@hookimpl
def flowreasoner_operators():
    field = OperatorField("text", "what to repeat")
    return [Operator("Parrot", "parrot", "Repeats.", (field,), (OperatorField("echo"),), "Repeat: {text}")]


@hookimpl
def flowreasoner_chat_models():
    def make(uri, context):
        return FunctionModel(lambda request: request.messages[-1].content, f"parrot:{uri.name}")

    return {"parrot": make}


@hookimpl
def flowreasoner_designers():
    def make(**settings):
        from flowreasoner.designers import FlowReasoner

        return FlowReasoner(**{**settings, "rounds": 1})

    return {"hasty": make}


class _Parroting:
    name = "parroting"

    async def fit(self, queries, bench, folder, tell=print):
        from flowreasoner.baselines import Fitted
        from flowreasoner.designers import FlowReasoner

        return Fitted(FlowReasoner(rounds=1))


@hookimpl
def flowreasoner_methods():
    return {"parroting": lambda **settings: _Parroting()}


class _Shout:
    name = "shout"

    def emit(self, workflow):
        return workflow.source.upper()

    def source(self, workflow):
        return {"shout.txt": workflow.source.upper()}


@hookimpl
def flowreasoner_backends():
    return {"shout": _Shout}


@hookimpl
def flowreasoner_test_formats():
    def table(source, entry_point):
        return Suite.asserts([f"assert {entry_point}({given!r}) == {want!r}" for given, want in source], entry_point)

    return {"table": table}


@hookimpl
def flowreasoner_metrics():
    return {"length": lambda query, answer: min(1.0, len(answer) / 100)}


@hookimpl
def flowreasoner_reward_terms():
    return {"brevity": lambda item, context: 1.0 / (1 + len(item.graph))}


class _Birds:
    name = "birds"
    description = "one query about birds"

    def queries(self, data=None):
        reference = "def wings():\n    return 2"
        tests = Suite.asserts(["assert wings() == 2", "assert wings() + wings() == 4"], "wings")
        return [Query("Write wings().", "wings", "wings", hidden=tests, reference=reference)]


@hookimpl
def flowreasoner_benchmarks():
    return [_Birds()]


@hookimpl
def flowreasoner_sandboxes():
    return {"cage": lambda: Pool("process")}


@hookimpl
def flowreasoner_observers():
    def listen(event):
        if isinstance(event, DesignEnded):
            click.echo(f"parrot heard the end: {event.design.query.id}", err=True)

    return [listen]


@click.command("squawk")
def squawk():
    """Squawk once."""
    click.echo("squawk")


@hookimpl
def flowreasoner_commands():
    return [squawk]
