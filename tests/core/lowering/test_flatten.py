"""Every await a statement of its own, and nothing else changed."""

import ast
import asyncio
import textwrap
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from programs import PROMPTS, workflows
from sequential import Oracle, run_sequentially

from flowreasoner.lowering import flatten
from flowreasoner.workflow import Workflow
from flowreasoner.workflow.printer import print_program

_RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))
A = "self.custom(input=problem, instruction='a')"
B = "self.custom(input=problem, instruction='b')"


def flat(body, members=""):
    source = "class Workflow:\n    async def __call__(self, problem):\n" + textwrap.indent(
        textwrap.dedent(body), " " * 8
    )
    program = flatten(Workflow.parse(source + textwrap.indent(textwrap.dedent(members), "    "), PROMPTS).program)
    return [ast.unparse(statement) for statement in program.entry.body]


def test_a_call_in_an_expression_comes_before_the_statement():
    assert flat(f"return (await {A})['response'] + (await {B})['response']") == [
        f"custom_1_result = await {A}",
        "value = custom_1_result['response']",
        f"custom_2_result = await {B}",
        "return value + custom_2_result['response']",
    ]


def test_plain_statements_stay_as_they_are():
    body = [f"draft = await {A}", "text = draft['response'].strip()", "return text"]
    assert flat("\n".join(body)) == body


def test_only_the_first_half_of_a_condition_is_always_called():
    assert flat(f"if problem and (await {A})['response']:\n    return 'x'\nreturn 'y'") == [
        "condition = problem",
        f"if condition:\n    custom_1_result = await {A}\n    condition = custom_1_result['response']",
        "if condition:\n    return 'x'",
        "return 'y'",
    ]


def test_a_comprehension_that_awaits_becomes_a_loop_with_variables_of_its_own():
    assert flat(f"return ' '.join([(await {A})['response'] for _ in range(2) if problem])") == [
        "items = []",
        f"for __2 in range(2):\n    if problem:\n        custom_1_result = await {A}\n"
        "        items.append(custom_1_result['response'])",
        "return ' '.join(items)",
    ]


def test_a_condition_that_awaits_moves_into_its_loop():
    assert flat(f"while (await {A})['response']:\n    problem += 'x'\nreturn problem")[0] == (
        f"while True:\n    custom_1_result = await {A}\n    if not custom_1_result['response']:\n"
        "        break\n    problem += 'x'"
    )


def test_sites_keep_their_names():
    source = f"class Workflow:\n    async def __call__(self, problem):\n        return (await {A})['response']\n"
    program = Workflow.parse(source).program
    assert flatten(program).sites == program.sites


@pytest.mark.slow
@settings(_RELAXED, max_examples=60)
@given(workflows())
def test_flat_programs_do_the_same(source):
    workflow = Workflow.parse(source, PROMPTS)
    plain, lowered = Oracle(), Oracle()
    expected = asyncio.run(run_sequentially(workflow.source, PROMPTS, {"problem": "P a"}, plain))
    got = asyncio.run(run_sequentially(print_program(flatten(workflow.program)), PROMPTS, {"problem": "P a"}, lowered))
    assert got == expected
    assert Counter(lowered.calls) == Counter(plain.calls)


@pytest.mark.slow
@settings(_RELAXED, max_examples=300)
@given(workflows())
def test_many_flat_programs_do_the_same(source):
    workflow = Workflow.parse(source, PROMPTS)
    plain, lowered = Oracle(), Oracle()
    expected = asyncio.run(run_sequentially(workflow.source, PROMPTS, {"problem": "P a"}, plain))
    got = asyncio.run(run_sequentially(print_program(flatten(workflow.program)), PROMPTS, {"problem": "P a"}, lowered))
    assert got == expected
    assert Counter(lowered.calls) == Counter(plain.calls)


@pytest.mark.parametrize(
    "expression",
    [
        f"[(await {A})['response'], (await {B})['response']]",
        f"{{'a': (await {A})['response'], 'b': (await {B})['response']}}",
        f"{{(await {A})['response']: (await {B})['response'] for _ in range(2)}}",
        f"{{(await {A})['response'] for _ in range(2)}} == set()",
        f"(await {A})['response'] < (await {B})['response'] < problem",
        f"problem < (await {A})['response'] < (await {B})['response']",
        f"(await {A})['response'] if (await {B})['response'] else (await {A})['response'] + 'x'",
        f"[x for x in (await {A})['response'] if x]",
        f"f\"{{(await {A})['response']}}-{{(await {B})['response']!r}}\"",
        f"problem.replace((await {A})['response'], (await {B})['response'])",
        f"[*[(await {A})['response']], *'ab', (await {B})['response']][-1:]",
        f"(await {A})['response'] or (await {B})['response']",
        f"not (await {A})['response'] or problem and (await {B})['response']",
        f"await self.ask((await {A})['response'])",
        f"max([problem, (await {B})['response']], key=lambda text: text + problem)",
    ],
)
def test_hidden_calls_do_the_same(expression):
    source = (
        "class Workflow:\n"
        "    async def ask(self, text):\n"
        "        return text + (await self.custom(input=text, instruction='b'))['response']\n"
        f"    async def __call__(self, problem):\n        return str({expression})\n"
    )
    workflow = Workflow.parse(source)
    plain, lowered = Oracle(), Oracle()
    expected = asyncio.run(run_sequentially(workflow.source, {}, {"problem": "P a"}, plain))
    got = asyncio.run(run_sequentially(print_program(flatten(workflow.program)), {}, {"problem": "P a"}, lowered))
    assert expected[0] == "answer"
    assert (got, lowered.calls) == (expected, plain.calls)
