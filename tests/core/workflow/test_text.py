import ast

import pytest

from flowreasoner.workflow import check
from flowreasoner.workflow.language import MAX_BITS, MAX_DEPTH, MAX_SOURCE
from flowreasoner.workflow.text import read_module

PLAIN = """\
class Workflow:
    async def __call__(self, problem):
        r = await self.custom(input=problem, instruction="Solve <it>.")
        return r["response"]
"""
BARE = """\
async def __call__(self, problem):
    if len(problem) < 3:
        return problem
    return problem + MISSING
"""


def dedented(text):
    return "\n".join(line.lstrip() for line in text.split("\n"))


# (what the repair says, the text)
REPAIRS = [
    ("code fences and tags around the code removed", f"```python\n{PLAIN}```\n"),
    ("code fences and tags around the code removed", f"~~~\n{PLAIN}~~~~"),
    ("code fences and tags around the code removed", f"  ```py\n{PLAIN}  ```  "),
    ("code fences and tags around the code removed", f"<graph>\n{PLAIN}</graph>"),
    ("code fences and tags around the code removed", f"<Code>\n```\n{PLAIN}```\n</Code>\n"),
    ("common indentation removed", "\n".join(f"    {line}" if line else "" for line in PLAIN.split("\n"))),
    ("HTML entities decoded", PLAIN.replace("problem)", "problem = &quot;&quot;)").replace("<it>", "&lt;it&gt;")),
    ("HTML entities decoded", PLAIN.replace("        return", "&nbsp; &nbsp; &nbsp; &nbsp; return")),
    (
        "a repeated 'def' line removed",
        PLAIN.replace("        r =", "        async def __call__(self, problem):\n        r ="),
    ),
    (
        "lost indentation of the first line restored",
        BARE.replace("MISSING", "''").replace("\n", "\n    ") + "async def tidy(self):\n        return ''",
    ),
    ("lost indentation restored", dedented(PLAIN)),
    (
        "lost indentation of the class's methods restored",
        "class Workflow:\n" + "\n".join(line.removeprefix("    ") for line in PLAIN.split("\n")[1:]),
    ),
    ("text around the code removed", f"Here is my workflow.\n\n{PLAIN}\nIt asks once!\n"),
]


@pytest.mark.parametrize(("sentence", "text"), REPAIRS)
def test_each_repair_is_reported_and_the_result_accepted(sentence, text):
    report = check(text, {})
    assert report.ok, [str(item) for item in report.diagnostics]
    assert sentence in report.repairs


@pytest.mark.parametrize(("sentence", "text"), REPAIRS)
def test_repairs_keep_every_line_where_it_was(sentence, text):
    for node in ast.walk(read_module(text).tree):
        if isinstance(node, ast.Return):
            assert "return" in text.split("\n")[node.lineno - 1]
        if isinstance(node, ast.AsyncFunctionDef):
            assert "async def" in text.split("\n")[node.lineno - 1]


def test_text_that_parses_is_not_touched():
    reading = read_module(PLAIN.replace("Solve <it>.", "Write &lt;b&gt;.\\n```python\\n```"))
    assert reading.repairs == ()
    assert "&lt;b&gt;" in ast.unparse(reading.tree)


def test_repairs_add_up_and_lines_still_point_into_the_given_text():
    lines = BARE.replace("<", "&lt;").split("\n")
    text = "\r\n".join(["\ufeffSure:", "", "```python", *lines, "```", "Good luck!"])
    report = check(text, {})
    (found,) = report.diagnostics
    assert (found.code, found.line) == ("undefined-name", 7)
    assert "MISSING" in text.split("\n")[found.line - 1]
    assert report.repairs[:3] == (
        "code fences and tags around the code removed",
        "HTML entities decoded",
        "text around the code removed",
    )


def test_flat_code_with_branches_is_not_guessed_at():
    text = dedented(PLAIN.replace("        return", "        if r:\n            pass\n        return"))
    (found,) = check(text, {}).diagnostics
    assert found.code == "syntax-error"


def test_flat_class_indents_each_method():
    text = (
        "class Workflow:\nasync def __call__(self, problem):\nreturn self.tidy(problem)\n\n"
        "def tidy(self, text):\nreturn text.strip()"
    )
    report = check(text, {})
    assert report.repairs == ("lost indentation restored",)
    assert [method.name for method in report.workflow.program.methods] == ["__call__", "tidy"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_read_alike(newline):
    report = check("\ufeff" + PLAIN.replace("\n", newline), {})
    assert report.ok
    assert report.repairs == ()


def test_the_problem_shown_is_that_of_the_repaired_text():
    report = check(f"```python\n{PLAIN}        return (\n```", {})
    (found,) = report.diagnostics
    assert (found.code, found.line) == ("syntax-error", 6)
    assert "'(' was never closed" in found.message


@pytest.mark.parametrize("text", ["", "   \n", "\ufeff", "\r\n\t"])
def test_empty_text_is_named_as_such(text):
    (found,) = read_module(text).problems
    assert found.code == "empty"


def test_limits_are_inclusive():
    assert read_module("#" * MAX_SOURCE).tree is not None
    assert read_module(f"x = {2**MAX_BITS - 1}").tree is not None
    assert read_module(f"x = {2**MAX_BITS}").problems[0].code == "too-large"
    assert read_module("x = " + "-" * (MAX_DEPTH - 4) + "1").tree is not None
    assert read_module("x = " + "-" * (MAX_DEPTH - 1) + "1").problems[0].code == "too-deep"


def test_what_is_read_is_named_in_the_message():
    (found,) = read_module("(", what="the prompt module").problems
    assert found.message.startswith("the prompt module does not parse")


def test_doubtful_escapes_in_strings_raise_no_warning():
    assert check(PLAIN.replace("Solve", "Solve \\d"), {}).ok
