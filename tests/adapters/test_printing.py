"""Source that adapters write: lines that fit, and say what they said before."""

import ast

import pytest
from hypothesis import given, settings
from programs import PROMPTS, workflows

from flowreasoner.workflow import Workflow
from flowreasoner_adapters.printing import double_quoted, indented, wrapped

LONG = "'" + "(text, that [looks] like {code}) " * 3 + "'"


@pytest.mark.parametrize(
    "line",
    [
        f"x = await self.custom_1.run(input={LONG}, instruction='b', role=name)",
        "results = await asyncio.gather(*[self.custom_1.run(input=problem) for number, text in enumerate(many_texts)])",
        f"texts = [{LONG}, {LONG}, call({LONG}, second=[1, 2, 3])]",
        "best = sorted(candidates_of_the_first_round, key=lambda one: (one['solution'], len(one['feedback'])))[0]",
        f"value = {{'first': {LONG}, 'second': other[1:2]}}",
        f"value = f'{{first}} ({{second}}, ' + text.join([{LONG}, name])",
    ],
)
def test_a_long_line_is_cut_at_its_brackets(line):
    lines = wrapped("    " + line, 80)
    assert len(lines) > 1
    assert ast.dump(ast.parse("\n".join(lines).strip())) == ast.dump(ast.parse(line))
    assert max(len(one) for one in lines) <= max(80, len(LONG) + 40)


def test_a_line_that_fits_or_has_no_brackets_is_left_as_it_is():
    assert wrapped("    x = call(1)") == ["    x = call(1)"]
    assert wrapped("x = " + "a + " * 40 + "a") == ["x = " + "a + " * 40 + "a"]


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(workflows())
def test_wrapped_programs_are_the_same_programs(source):
    text = Workflow.parse(source, PROMPTS).source
    lines = [piece for line in text.split("\n") for piece in wrapped(line, 60)]
    assert ast.dump(ast.parse("\n".join(lines))) == ast.dump(ast.parse(text))


def test_plain_strings_get_double_quotes_and_all_others_stay():
    source = """x = state['a'] + f"{state['b']}" + f'{c}' + 'it\\'s' + 'say "hi"' + '\\n' + "d" + '''e''' + r'f'\n"""
    expected = source.replace("state['a']", 'state["a"]', 1)
    assert double_quoted(source) == expected
    assert ast.dump(ast.parse(double_quoted(source))) == ast.dump(ast.parse(source))


def test_negated_memberships_are_written_as_formatters_want_them():
    body = ast.parse("x = not a in b\ny = not a is None\nz = not (a in b or a == c)").body
    assert indented(body, 0) == ["x = a not in b", "y = a is not None", "z = not (a in b or a == c)"]
    assert ast.unparse(body[0]) == "x = not a in b"
