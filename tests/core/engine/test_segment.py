"""Pieces of a workflow between its calls: interpreted within a budget, calls made into requests."""

import ast
import textwrap

import pytest
from programs import PROMPTS

from flowreasoner.budget import Budget
from flowreasoner.engine import Request, Segment
from flowreasoner.errors import BudgetExceeded
from flowreasoner.workflow import Workflow

MEMBERS = """
async def ask(self, text, times=1):
    a = await self.custom(input=text, instruction='x')
    return a['response'] * times

def tidy(self, text):
    return text.strip() + prompt_custom.SOLVE
"""


def program(body="a = await self.custom(input=problem, instruction='x')\nreturn self.tidy(a['response'])"):
    source = "class Workflow:\n    async def __call__(self, problem):\n" + textwrap.indent(body, " " * 8) + "\n"
    return Workflow.parse(source + textwrap.indent(MEMBERS, "    "), PROMPTS).program


def segment(variables=None, **settings):
    given = program()
    return Segment(given, {} if variables is None else variables, dict(PROMPTS), **settings)


def statements(text):
    return ast.parse(textwrap.dedent(text)).body


def expression(text, nodes=None):
    node = ast.parse(text, mode="eval").body
    if nodes is not None:
        for part in ast.walk(node):
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
                nodes[id(part)] = f"{part.func.attr}_node"
    return node


async def test_statements_change_the_variables():
    variables = {"n": 2, "texts": ["a"]}
    await segment(variables).run(statements("n += 1\ntexts.append(str(n))\nfor c in 'xy':\n    last = c"))
    assert variables == {"n": 3, "texts": ["a", "3"], "last": "y", "c": "y"}


async def test_values_and_helpers():
    assert await segment({"text": " x "}).value(expression("self.tidy(text) + '!'")) == "x" + PROMPTS["SOLVE"] + "!"


async def test_rewritten_prompts_are_the_segments_own():
    prompts = dict(PROMPTS)
    await Segment(program(), {}, prompts).run(statements("prompt_custom.SOLVE += 'more'"))
    assert prompts["SOLVE"] == PROMPTS["SOLVE"] + "more"
    assert PROMPTS["SOLVE"] == "Solve it. "


async def test_the_inputs_of_a_call_are_copies():
    texts = ["a"]
    inputs = await segment({"texts": texts}).inputs(expression("self.sc_ensemble(solutions=texts, problem='p')"))
    assert inputs == {"solutions": ["a"], "problem": "p"}
    texts.append("b")
    assert inputs["solutions"] == ["a"]


async def test_calls_that_are_not_awaited_become_requests():
    nodes: dict[int, str] = {}
    made = expression("[self.custom(input=str(i), instruction='x') for i in range(2)]", nodes)
    requests = await segment(nodes=nodes).requests([ast.Starred(made, ast.Load())])
    assert [(item.step, item.inputs) for item in requests] == [
        ("custom_node", {"input": "0", "instruction": "x"}),
        ("custom_node", {"input": "1", "instruction": "x"}),
    ]


async def test_requests_of_helpers_name_their_arguments():
    nodes: dict[int, str] = {}
    made = expression("self.ask('a', times=2)", nodes)
    requests = await segment(nodes=nodes).requests([made])
    assert (requests[0].step, requests[0].inputs) == ("ask_node", {"text": "a", "times": 2})


async def test_a_gather_of_anything_else_is_an_error():
    with pytest.raises(TypeError, match="takes calls that are not awaited"):
        await segment().requests([expression("'text'")])


async def test_targets_are_bound():
    variables = {"table": {}}
    work = segment(variables)
    await work.assign(statements("(a, *b), table['k'] = x")[0].targets[0], (("p", "q", "r"), 7))
    assert variables == {"table": {"k": 7}, "a": "p", "b": ["q", "r"]}


async def test_prints_are_kept():
    work = segment({"n": 2})
    await work.run(statements("print('n is', n)\nprint(f'{n + 1}')"))
    assert await work.logged() == ["n is 2", "3"]


@pytest.mark.parametrize(
    ("text", "error"),
    [("1 // 0", ZeroDivisionError), ("{}['k']", KeyError), ("int('x')", ValueError), ("missing", NameError)],
)
async def test_errors_are_pythons_own(text, error):
    with pytest.raises(error):
        await segment().value(expression(text))


async def test_steps_are_limited():
    with pytest.raises(BudgetExceeded):
        await segment(budget=Budget(steps=100)).run(statements("n = 0\nwhile True:\n    n += 1"))


async def test_memory_is_limited():
    with pytest.raises(BudgetExceeded):
        await segment(budget=Budget(memory=10_000)).run(
            statements("text = 'x'\nfor i in range(40):\n    text = text * 2")
        )


async def test_random_numbers_follow_from_the_seed():
    draws = [await segment(seed=seed).value(expression("[random.random() for _ in range(3)]")) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


async def test_nothing_hostile_is_reached():
    for text in ("(1).__class__", "self.llm", "open('/etc/passwd')", "__import__('os')"):
        with pytest.raises(Exception):  # noqa: B017 - refused one way or another
            await segment().value(expression(text))


def test_a_request_shows_as_what_it_is_in_python():
    assert repr(Request("step", {})) == "<coroutine object>"
