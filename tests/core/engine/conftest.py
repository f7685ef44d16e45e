"""What the tests of the engine share: a worker that they control, and a way to run a few statements."""

import asyncio
import textwrap
from dataclasses import dataclass, field

import pytest

from flowreasoner.engine import run_workflow
from flowreasoner.operators import FieldKind
from flowreasoner.workflow import Workflow

_PATIENCE = 40


@dataclass
class Worker:
    """Performs operator calls and notes which of them overlap.

    A call takes many turns of the event loop, so that every call that can start meanwhile does.

    Attributes:
        reply: Called with (operator name, inputs); returns the outputs, or raises.
        inputs: Inputs of each call, in the order in which they began.
        most: How many calls were under way at the same time.
        events: "+name" and "-name" as calls begin and end.
    """

    reply: object = None
    inputs: list = field(default_factory=list)
    running: int = 0
    most: int = 0
    events: list = field(default_factory=list)

    async def __call__(self, operator, inputs, call):
        self.inputs.append(inputs)
        self.events.append(f"+{call.path}")
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for _ in range(_PATIENCE):
                await asyncio.sleep(0)
            outputs = self.reply(operator.name, inputs) if self.reply else None
            return plain_outputs(operator) | (outputs or {})
        finally:
            self.running -= 1
            self.events.append(f"-{call.path}")


def plain_outputs(operator):
    """Returns "x" for each text and True for each flag."""
    return {item.name: True if item.kind is FieldKind.FLAG else "x" for item in operator.outputs}


@pytest.fixture
def worker():
    return Worker()


@pytest.fixture
def run(worker):
    """Runs statements as the body of ``__call__``; the first of them stands on line 3."""

    async def running(body, *, parameters="problem", members="", prompts=None, arguments=None, perform=None, **options):
        source = (
            f"class Workflow:\n    async def __call__(self, {parameters}):\n{_indented(body, 8)}{_indented(members, 4)}"
        )
        workflow = Workflow.parse(source, prompts or {})
        return await run_workflow(
            workflow, {"problem": "P"} if arguments is None else arguments, perform or worker, **options
        )

    return running


def _indented(text, by):
    return textwrap.indent(textwrap.dedent(text).strip("\n"), " " * by) + "\n"
