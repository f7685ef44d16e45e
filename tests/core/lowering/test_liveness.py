"""Which variables are a graph's state: all that a later step may read, whatever way it is reached."""

import textwrap

import pytest
from programs import PROMPTS

from flowreasoner.lowering import step_graph
from flowreasoner.workflow import Workflow

B = "b = await self.custom(input=str(a), instruction='b')\n"
AGAIN = "await self.custom(input=str(b), instruction='c')"
ASK = "await self.custom(input=problem, instruction='a')"


def state(body):
    source = "class Workflow:\n    async def __call__(self, problem):\n"
    source += textwrap.indent(textwrap.dedent(body), " " * 8)
    return set(step_graph(Workflow.parse(source, PROMPTS).program).variables) - {"problem"}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (f"text = 'x'\na = {ASK}\nreturn a['response']", {"a"}),
        (f"text = 'x'\na = {ASK}\nreturn text + a['response']", {"a"}),  # of one step
        (
            f"text = 'x'\na = {ASK}\nb = await self.custom(input=text + str(a), instruction='b')\nreturn str(b)",
            {"a", "b", "text"},
        ),
        (
            f"n = 0\nwhile n < 3:\n    n += 1\n    a = {ASK}\n    if a['response']:\n        n = 5\nreturn 'x'",
            {"n", "a"},
        ),
        # read in a handler only
        (f"text = 'x'\ntry:\n    a = {ASK}\nexcept ValueError:\n    return text\nreturn 'y'", {"a", "text"}),
        # bound on one way only
        (
            f"a = {ASK}\nif a['response']:\n    text = 'x'\n{B}return text + str(b)",
            {"a", "b", "text"},
        ),
        # a comprehension's variable is its own, what it reads is not
        (
            f"text = 'x'\na = {ASK}\n{B}return str([c + text for c in 'ab']) + str(b)",
            {"a", "b", "text"},
        ),
        # a lambda's parameter is its own
        (
            f"a = {ASK}\n{B}return str(sorted('ab', key=lambda c: c)) + str(b)",
            {"a", "b"},
        ),
        # an error's variable, of one step and kept over a call
        (
            f"try:\n    n = int(problem)\n    a = {ASK}\nexcept ValueError as error:\n    b = {ASK}\n"
            "    return str(error) + str(b)\nreturn str(a)",
            {"a", "b"},
        ),
        (
            f"try:\n    a = {ASK}\nexcept ValueError as error:\n    b = {ASK}\n"
            f"    c = {AGAIN}\n    return str(error) + str(c)\nreturn str(a)",
            {"a", "b", "c", "error"},
        ),
    ],
)
def test_what_is_read_later_is_state_and_nothing_else(body, wanted):
    assert state(body) == wanted


def test_the_test_of_a_route_is_read():
    body = f"flag = problem == 'x'\na = {ASK}\nif flag:\n    a = {ASK}\nreturn a['response']"
    assert "flag" in state(body)


def test_a_loops_place_is_state():
    assert {"index", "items"} <= state(
        f"for word in problem.split():\n    a = {ASK}\n    if a['response']:\n        break\nreturn 'x'"
    )
