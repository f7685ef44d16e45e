import pytest

from flowreasoner.workflow import Workflow, check, read_prompts
from flowreasoner.workflow.language import MAX_SOURCE
from flowreasoner.workflow.printer import print_prompts


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("P = 'a'", "a"),
        ('P = """a\nb"""', "a\nb"),
        ("P: str = 'a'", "a"),
        ("P = 'a' 'b'", "ab"),
        ("P = 'a' + 'b' + 'c'", "abc"),
        ("P = '  a '.strip()", "a"),
        ("P = '''\n a\n'''.lstrip()", "a\n"),
        ("P = 'a '.rstrip()", "a"),
        ("P = 'a',", "a"),
        ("P = ('a')", "a"),
        ("A = 'x'\nP = A + 'y'", "xy"),
        ("A = 'x'\nP = f'{A}-{A!s}'", "x-x"),
        ("P = 'first'\nP = 'second'", "second"),
        ("```python\nP = 'a'\n```", "a"),
        ("<prompt>\nP = 'a'\n</prompt>", "a"),
        ("Here they are:\nP = 'a'\n", "a"),
        ("# comment\nimport os\n'docstring'\nP = 'a'\npass", "a"),
        ("P = r'\\d {x}'", "\\d {x}"),
    ],
)
def test_constants_are_read_without_running_anything(source, text):
    prompts, problems = read_prompts(source)
    assert prompts["P"] == text
    assert problems == []


@pytest.mark.parametrize(
    ("source", "name", "line"),
    [
        ("A = 'a'\nP = open('x').read()", "P", 2),
        ("P = f'{problem}'", "P", 1),
        ("A = 'a'\nP = f'{A!r}'", "P", 2),
        ("A = 'a'\nP = f'{A:>10}'", "P", 2),
        ("P = 3", "P", 1),
        ("P = 'a' * 3", "P", 1),
        ("P = 'a'.upper()", "P", 1),
        ("P: str", "P", 1),
        ("P, Q = 'a', 'b'", "Assign", 1),
        ("def f():\n    return 1", "FunctionDef", 1),
    ],
)
def test_what_is_not_constant_is_left_out_and_named(source, name, line):
    prompts, problems = read_prompts(source)
    assert "P" not in prompts
    assert [(item.code, item.severity, item.line) for item in problems] == [("prompt-not-constant", "warning", line)]
    assert repr(name) in problems[0].message


@pytest.mark.parametrize("source", ["", "  \n", "\ufeff", "\ufeff\n", "# nothing\n"])
def test_a_module_without_prompts_is_no_problem(source):
    assert read_prompts(source) == ({}, [])


def test_constants_that_double_each_other_are_cut_off():
    prompts, problems = read_prompts("A = 'x'\n" + "A = A + A\n" * 60)
    assert len(prompts["A"]) <= MAX_SOURCE
    assert {item.code for item in problems} == {"prompt-not-constant"}


def test_all_constants_together_are_cut_off():
    prompts, problems = read_prompts(f"A = '{'x' * 100_000}'\n" + "".join(f"B{i} = A\n" for i in range(100)))
    assert sum(map(len, prompts.values())) <= 10 * MAX_SOURCE
    assert len(prompts) + len(problems) == 101


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a\nb",
        '"',
        "'",
        "'\"",
        '"""',
        "'''",
        'a\n"',
        '"\na',
        "\\",
        "a\\\nb",
        "\t\na",
        "\r\n",
        "\x00\n",
        "ü\nß",
        "\ud800\n",
        "{x}\n{{y}}",
        "\u2028\n",
        "#\n",
    ],
)
def test_printed_prompts_read_back_the_same(text):
    assert read_prompts(print_prompts({"P": text, "Q": "q"})) == ({"P": text, "Q": "q"}, [])


def test_several_lines_are_printed_as_they_are():
    assert print_prompts({"P": "a\nb"}) == 'P = """a\nb"""\n'
    assert print_prompts({}) == ""


def test_a_workflow_takes_prompts_as_source_or_mapping():
    source = "async def __call__(self, problem):\n    return prompt_custom.P\n"
    assert Workflow.parse(source, "P = 'a'") == Workflow.parse(source, {"P": "a"})


def test_no_prompts_given_is_not_the_same_as_none_defined():
    source = "async def __call__(self, problem):\n    return prompt_custom.P\n"
    assert [item.code for item in check(source).diagnostics] == ["prompts-missing"]
    assert [item.code for item in check(source, {}).diagnostics] == ["undefined-prompt"]
    assert [item.code for item in check(source, "").diagnostics] == ["undefined-prompt"]
