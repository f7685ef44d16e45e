"""The most steps that a run may take: never fewer than it takes."""

import textwrap

import pytest
from hypothesis import HealthCheck, given, settings
from programs import PROMPTS, workflows

from flowreasoner.lowering import step_graph
from flowreasoner.workflow import Workflow

A = "await self.custom(input=problem, instruction='a')"


def most(body, members="", **settings):
    source = "class Workflow:\n    async def __call__(self, problem):\n"
    source += textwrap.indent(textwrap.dedent(body), " " * 8) + "\n" + textwrap.indent(textwrap.dedent(members), "    ")
    return step_graph(Workflow.parse(source, PROMPTS).program, **settings).most_steps


def loop(header, extra=""):
    return f"text = problem\n{header}\n    a = {A}\n    if a['response']:\n        break\n{extra}return text"


def test_a_loop_with_a_number_of_rounds_counts_them():
    ten, twenty = most(loop("for i in range(10):")), most(loop("for i in range(20):"))
    assert 10 <= ten <= 60
    assert 10 <= twenty - ten <= 40


@pytest.mark.parametrize(
    ("header", "rounds"),
    [
        ("for i in range(7):", 7),
        ("for i in range(2, 9):", 7),
        ("for i in range(9, 2, -1):", 7),
        ("for i, word in enumerate(['a'] * 1 and ['a', 'b', 'c', 'd', 'e', 'f', 'g']):", 64),
        ("for i, word in enumerate(['a', 'b', 'c', 'd', 'e', 'f', 'g']):", 7),
        ("for word in ('a', 'b', 'c', 'd', 'e', 'f', 'g'):", 7),
        ("for word in sorted(['a', 'b', 'c', 'd', 'e', 'f', 'g']):", 7),
        ("for word in problem.split():", 64),
        ("while True:", 64),
    ],
)
def test_rounds_that_are_written_down_are_counted_others_as_a_default(header, rounds):
    assert rounds <= most(loop(header)) < 5 * rounds + 10


def test_nested_loops_multiply():
    body = f"for i in range(5):\n    for j in range(6):\n        a = {A}\n"
    body += "        if a['response']:\n            break\nreturn 'x'"
    assert 30 <= most(body) <= 200


def test_the_default_for_other_loops_is_given():
    body = f"while True:\n    a = {A}\n    if a['response']:\n        return 'x'\n"
    assert most(body, unbounded=5) < most(body, unbounded=50) < most(body, unbounded=500)


def test_helpers_count_where_they_are_awaited():
    helper = f"async def ask(self, problem):\n    for i in range(40):\n        a = {A}\n        if a['response']:\n"
    helper += "            return 'x'\n    return 'y'\n"
    assert most("return await self.ask(problem)", helper) >= 40


def test_there_is_a_bound_to_the_bound():
    body = f"a = {A}\n"
    for depth in range(5):
        body += "    " * depth + f"for i{depth} in range(1000):\n"
    body += "    " * 5 + f"b = {A}\n" + "    " * 5 + "if b['response']:\n" + "    " * 6 + "break\nreturn 'x'"
    assert most(body) == 100_000


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=40)
@given(workflows())
def test_every_step_of_a_graph_without_cycles_fits(source):
    graph = step_graph(Workflow.parse(source, PROMPTS).program)
    assert graph.most_steps >= 1
    if "for " not in source and "while " not in source and "try:" not in source:
        longest = sum(step.kind not in {"sample", "subgraph"} for step in graph.steps.values())
        branches = source.count("if ") + source.count("return ")
        assert graph.most_steps + 2 * branches >= longest
