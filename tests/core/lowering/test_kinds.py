"""What is known of variables for certain, and forgotten again where another name may change it."""

import textwrap

import pytest
from programs import PROMPTS

from flowreasoner.lowering.effects import Effects
from flowreasoner.lowering.flatten import flatten
from flowreasoner.lowering.kinds import Kinds
from flowreasoner.operators import BUILTIN
from flowreasoner.workflow import Workflow

A = "await self.custom(input=problem, instruction='a')"
MEMBERS = "def add(self, items):\n    items.append(3)\n"


def kinds_of(body):
    source = "class Workflow:\n    async def __call__(self, problem):\n"
    source += textwrap.indent(body + "\nreturn problem", " " * 8) + "\n" + textwrap.indent(MEMBERS, "    ")
    program = flatten(Workflow.parse(source, PROMPTS).program)
    return Kinds(program, program.entry, BUILTIN), program.entry


@pytest.mark.parametrize(
    ("body", "name", "kind"),
    [
        ("x = 'a' + problem", "x", "text"),
        ("x = len(problem) * 2", "x", "number"),
        ("x = problem == 'a'", "x", "flag"),
        (f"x = {A}", "x", "result:Custom"),
        (f"r = {A}\nx = r['response']", "x", "text"),
        ("x = ['a']\nx.append(problem)", "x", "list:text"),
        ("x = ['a']\nx.append(3)", "x", "list:any"),
        ("x = problem.splitlines()", "x", "list:text"),
        ("x = 'a'\nx = 3", "x", "any"),
        ("x = ['a']\ny = x", "x", "list:text"),
        ("y = ['a']\nx = y if isinstance(y, list) else list(y)", "x", "list:text"),
        # changed under another name
        ("x = ['a']\ny = x\ny.append(3)", "x", "any"),
        ("x = ['a']\nself.add(x)", "x", "any"),
        ("x = ['a']\ntable = {'k': x}\ntable['k'].append(3)", "x", "any"),
        ("x = ['a']\nrows = [x]\nfor row in rows:\n    row += [3]", "x", "any"),
        # another list is changed
        ("x = ['a']\ny = list(problem)\ny.append(3)", "x", "list:text"),
        (f"x = ['a']\nr = {A}\nx.append(r['response'])", "x", "list:text"),
        (f"x = []\nr = {A}\nx.append(r)", "r", "result:Custom"),
    ],
)
def test_kinds_of_variables(body, name, kind):
    kinds, _ = kinds_of(body)
    assert kinds.names[name] == kind


@pytest.mark.parametrize(
    ("body", "shared"),
    [
        ("x = ['a']\ny = x\ny.append(3)", True),
        ("x = ['a']\ny = x\nself.add(y)", True),
        ("x = ['a']\ny = x", False),  # nobody changes it
        ("x = ['a']\ny = ['a']\ny.append(3)", False),
        ("x = 'a'\ny = x\ny += 'b'", False),
    ],
)
def test_variables_share_what_is_changed_in_place(body, shared):
    kinds, method = kinds_of(body)
    assert Effects(method, kinds).share(["x", "y"]) is shared
