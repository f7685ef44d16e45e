import ast

import pytest

from flowreasoner.workflow import Workflow

BEFORE = "async def __call__(self, problem):\n    d = {'a': 'v', \"it's\": 'i', '{': 'b', 'w': 7}\n    w = 5\n"


def parsed(literal):
    return Workflow.parse(f"{BEFORE}    return {literal}\n")


def returned(workflow):
    """Evaluates what the printed workflow returns."""
    body = [node for node in ast.parse(workflow.source).body[0].body if isinstance(node, ast.AsyncFunctionDef)]
    names = {"problem": "P's"}
    for statement in body[0].body[:-1]:
        exec(compile(ast.Module([statement], []), "<workflow>", "exec"), names)
    return eval(compile(ast.Expression(body[0].body[-1].value), "<workflow>", "eval"), names)


@pytest.mark.parametrize(
    "literal",
    [
        "f'{problem}'",
        "f'{problem!r:>10}'",
        "f\"{d['a']} {d['w']:03}\"",
        "f'{{{problem}}}'",
        "f'{w:>{w}} {w:{w}.{w}f}'",
        "f'a\\n\\\\{problem}\\t'",
        "f'{problem}' 'plain' f'{w}'",
        "f'{len(problem) + 1}'",
    ],
)
def test_plain_fstrings_stay_fstrings(literal):
    workflow = parsed(literal)
    assert workflow.source.rstrip().split("return ")[1].startswith("f")
    assert returned(workflow) == eval(literal, {"problem": "P's", "w": 5, "d": {"a": "v", "w": 7}})


@pytest.mark.parametrize(
    "literal",
    [
        '''f"""{d["it's"]}"""''',
        "f'''{d[\"it's\"]!r:>10}-{problem}'''",
        """f'{d["{"]}'""",
        "f'{f\"{problem}\"}!'",
        "f'{f\"{w}\":>10}'",
        '''f"""{problem:{d["w"]}}{d["it's"]!s}"""''',
        '''f"\\"\\"\\" \\'\\'\\' {'b'}"''',
        '''f"""{w:{'>' if d["it's"] else '<'}{w}}"""''',
        '''f"""{w:{f"{w}"}}"""''',
    ],
)
def test_fstrings_that_python_3_11_cannot_print_become_sums(literal):
    workflow = parsed(literal)
    expected = eval(literal, {"problem": "P's", "w": 5, "d": {"a": "v", "it's": "i", "{": "b", "w": 7}})
    assert returned(workflow) == expected
    assert Workflow.parse(workflow.source) == workflow


def test_long_sums_are_joined_instead_of_nested():
    workflow = parsed("f'" + '{f"{w}"} ' * 300 + "'")
    assert "''.join([" in workflow.source
    assert returned(workflow) == "5 " * 300


def test_a_conversion_outside_the_language_is_not_rewritten_away(check_body):
    (found,) = check_body("return f'''{problem[\"it's\"]!a}'''").diagnostics
    assert (found.code, found.line) == ("forbidden-syntax", 3)
    assert "!a" in found.message
