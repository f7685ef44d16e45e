"""Independent calls and sampling loops are gathered; everything else is left as it is."""

import ast
import asyncio
import textwrap
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from programs import PROMPTS, workflows
from sequential import Oracle, run_sequentially

from flowreasoner.lowering import flatten, parallelise
from flowreasoner.workflow import Workflow
from flowreasoner.workflow.printer import print_program

_RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))
A = "self.custom(input=problem, instruction='a')"
B = "self.custom(input=problem, instruction='b')"


def parallel(body, members=""):
    source = "class Workflow:\n    async def __call__(self, problem):\n" + textwrap.indent(
        textwrap.dedent(body), " " * 8
    )
    program = Workflow.parse(source + "\n" + textwrap.indent(textwrap.dedent(members), "    "), PROMPTS).program
    return parallelise(flatten(program))


def lines(body, members=""):
    return [ast.unparse(statement) for statement in parallel(body, members).entry.body]


def test_independent_calls_are_gathered():
    assert lines(f"a = await {A}\nb = await {B}\nreturn a['response'] + b['response']") == [
        f"a, b = await asyncio.gather({A}, {B})",
        "return a['response'] + b['response']",
    ]


def test_a_call_that_needs_the_first_waits_for_it():
    body = [f"a = await {A}", "b = await self.custom(input=a['response'], instruction='b')", "return b['response']"]
    assert lines("\n".join(body)) == body


def test_what_stands_between_goes_before_or_after():
    assert lines(
        f"texts = []\na = await {A}\ntexts.append(a['response'])\nprompt = f'{{problem}}!'\n"
        "b = await self.custom(input=prompt, instruction='b')\ntexts.append(b['response'])\nreturn str(texts)"
    ) == [
        "texts = []",
        "prompt = f'{problem}!'",
        f"a, b = await asyncio.gather({A}, self.custom(input=prompt, instruction='b'))",
        "texts.append(a['response'])",
        "texts.append(b['response'])",
        "return str(texts)",
    ]


def test_a_variable_that_is_used_twice_gets_its_values_in_turn():
    assert lines(
        f"texts = []\nr = await {A}\ntexts.append(r['response'])\nr = await {B}\ntexts.append(r['response'])\n"
        "return str(texts)"
    ) == [
        "texts = []",
        f"custom_1_result, custom_2_result = await asyncio.gather({A}, {B})",
        "r = custom_1_result",
        "texts.append(r['response'])",
        "r = custom_2_result",
        "texts.append(r['response'])",
        "return str(texts)",
    ]


@pytest.mark.parametrize(
    "between",
    [
        "number = int(a['response'])",  # may fail
        "problem += 'x'",  # the second call's input
        "texts.append(a['response'])",  # through another name
        "if a['response']:\n    return 'early'",
        "value = await self.ask(problem)",
    ],
)
def test_calls_stay_in_their_order_where_it_matters(between):
    second = "b = await self.custom(input=f'{problem}{other}', instruction='b')"
    body = f"texts = []\nother = texts\na = await {A}\n{between}\n{second}\nreturn a['response'] + b['response']"
    helper = f"async def ask(self, problem):\n    return (await {A})['response']\n"
    assert "gather" not in "\n".join(lines(body, helper))


def test_a_try_body_is_left_alone():
    body = f"try:\n    a = await {A}\n    b = await {B}\nexcept Exception:\n    return 'x'\nreturn str([a, b])"
    assert "gather" not in "\n".join(lines(body))


def test_a_sampling_loop_becomes_one_gather():
    assert lines(
        f"texts = []\nfor _ in range(5):\n    r = await {A}\n    texts.append(r['response'])\nreturn str(texts)"
    ) == [
        "texts = []",
        f"custom_1_results = await asyncio.gather(*[{A} for _ in range(5)])",
        "for r in custom_1_results:\n    texts.append(r['response'])",
        "return str(texts)",
    ]


def test_what_the_arguments_need_is_put_in_their_place():
    assert lines(
        "texts = []\nfor style in ['short', 'long']:\n    prompt = f'Be {style}: '\n"
        "    r = await self.custom(input=problem, instruction=prompt)\n    texts.append(style + r['response'])\n"
        "return str(texts)"
    ) == [
        "texts = []",
        "items = ['short', 'long']",
        "custom_1_results = await asyncio.gather(*[self.custom(input=problem, instruction=f'Be {style}: ') "
        "for style in items])",
        "for style, r in zip(items, custom_1_results):\n    texts.append(style + r['response'])",
        "return str(texts)",
    ]


def test_a_round_of_several_calls_becomes_a_method():
    program = parallel(
        f"texts = []\nfor _ in range(3):\n    r = await {A}\n"
        "    t = await self.test(problem=problem, solution=r['response'], entry_point='f')\n"
        "    if t['result']:\n        texts.append(t['solution'])\nreturn str(texts)"
    )
    assert ast.unparse(program.entry.body[1]) == (
        "sample_results = await asyncio.gather(*[self.sample(problem) for _ in range(3)])"
    )
    assert ast.unparse(program.entry.body[2]) == (
        "for t in sample_results:\n    if t['result']:\n        texts.append(t['solution'])"
    )
    assert [ast.unparse(item) for item in program.helpers["sample"].body] == [
        f"r = await {A}",
        "t = await self.test(problem=problem, solution=r['response'], entry_point='f')",
        "return t",
    ]


@pytest.mark.parametrize(
    "body",
    [
        f"r = await {A}\nif r['response']:\n    break",
        f"r = await {A}\nproblem = r['response']",
        f"problem += 'x'\nr = await {A}",
        "r = await self.custom(input=str(texts), instruction='a')\ntexts.append(r['response'])",
        f"r = await {A}\nnumbers = int(r['response'])",
        f"r = await {A}\nitems.append(r['response'])",
    ],
)
def test_loops_whose_rounds_need_each_other_stay_loops(body):
    text = lines(f"texts = []\nitems = ['a']\nfor item in items:\n{textwrap.indent(body, '    ')}\nreturn problem")
    assert "gather" not in "\n".join(text)


def _run(source, latency=0.0):
    workflow = Workflow.parse(source, PROMPTS)
    plain, lowered = Oracle(), Oracle(latency=latency)
    expected = asyncio.run(run_sequentially(workflow.source, PROMPTS, {"problem": "P a"}, plain))
    program = parallelise(flatten(workflow.program))
    got = asyncio.run(run_sequentially(print_program(program), PROMPTS, {"problem": "P a"}, lowered))
    return expected, got, plain.calls, lowered.calls


@pytest.mark.slow
@settings(_RELAXED, max_examples=60)
@given(workflows())
def test_parallel_programs_do_the_same(source):
    assert_the_same(source)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(_RELAXED, max_examples=600)
@given(workflows())
def test_many_parallel_programs_do_the_same(source):
    assert_the_same(source)


def assert_the_same(source):
    expected, got, plain, lowered = _run(source)
    assert got == expected
    assert Counter(lowered) == Counter(plain)


@pytest.mark.slow
@settings(_RELAXED, max_examples=40)
@given(workflows())
def test_timing_of_calls_changes_nothing(source):
    expected, got, plain, lowered = _run(source, latency=0.004)
    assert got == expected
    assert Counter(lowered) == Counter(plain)


@pytest.mark.slow
@settings(_RELAXED, max_examples=200)
@given(workflows())
def test_lowered_programs_are_workflows_again(source):
    workflow = Workflow.parse(source, PROMPTS)
    program = parallelise(flatten(workflow.program))
    again = Workflow.parse(print_program(program), workflow.prompt_source)
    assert print_program(again.program) == print_program(program)
