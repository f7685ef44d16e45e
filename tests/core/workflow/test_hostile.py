"""Texts made to break the checker: each gets an answer, soon, and never an exception."""

import random
import string
import time

import pytest

from flowreasoner.workflow import Workflow, check

HEAD = "class Workflow:\n    async def __call__(self, problem):\n"


def body(text):
    return HEAD + "".join(f"        {line}\n" for line in text.split("\n"))


def nested_loops(count, inner):
    loops = "".join("    " * i + f"for i{i} in problem:\n" for i in range(count))
    return loops + "\n".join("    " * count + line for line in inner) + "\nreturn problem"


def name(length, seed):
    letters = random.Random(seed)
    return "q" + "".join(letters.choice(string.ascii_letters) for _ in range(length))


# What is refused, and by which code.
REFUSED = {
    "ten megabytes": ("x" * 10_000_000, "too-large"),
    "a line of a megabyte": (body("x = '" + "a" * 1_000_000 + "'"), "too-large"),
    "nested parentheses": (body("x = " + "(" * 10_000 + ")" * 10_000), "syntax-error"),
    "nested brackets": (body("x = " + "[" * 10_000 + "]" * 10_000), "syntax-error"),
    "nul": (body("x = '\0'"), "binary-content"),
    "a deep sum": (body("x = " + " + ".join(["1"] * 2_000)), "too-deep"),
    "a very deep sum": (body("x = " + "+".join(["1"] * 60_000)), "too-deep"),
    "minus signs": (body("x = " + "-" * 100_000 + "1"), "too-deep"),
    "nots": (body("x = " + "not " * 40_000 + "1"), "too-deep"),
    "attributes": (body("x = a" + ".b" * 90_000), "too-deep"),
    "subscripts": (body("x = a" + "[0]" * 60_000), "too-deep"),
    "calls of calls": (body("x = a" + "()" * 60_000), "too-deep"),
    "lambdas": (body("x = " + "lambda:" * 20_000 + "1"), "too-deep"),
    "conditionals": (body("x = " + "1 if problem else " * 8_000 + "1"), "too-deep"),
    "dictionaries": (body("x = " + "{1:" * 105 + "1" + "}" * 105), "too-deep"),
    "an elif chain": (
        body("if problem:\n    pass\n" + "elif problem:\n    pass\n" * 3_000 + "return problem"),
        "too-deep",
    ),
    "indentation": (HEAD + "".join(" " * i + "if 1:\n" for i in range(8, 200)) + " " * 200 + "x", "syntax-error"),
    "nine loops": (body(nested_loops(9, ["pass"])), "too-deep"),
    "eight loops around much": (body(nested_loops(8, [f"v{i} = {i}" for i in range(3_000)])), "too-large"),
    "many branches": (
        body("".join(f"if problem:\n    v{i} = {i}\n" for i in range(4_000)) + "return problem"),
        "too-large",
    ),
    "undefined names": (body("".join(f"x = undefined_{i}\n" for i in range(6_000)) + "return x"), "undefined-name"),
    "similar names": (
        body(
            "".join(f"var_{i:05d} = 1\n" for i in range(6_000))
            + "".join(f"x = var_x{i}\n" for i in range(900))
            + "return x"
        ),
        "undefined-name",
    ),
    "long names": (body(f"{name(60_000, 1)} = 1\nreturn {name(60_000, 2)}"), "undefined-name"),
    "a surrogate": (body("return '\ud800'"), "syntax-error"),
    "a surrogate name": (body("\udc80 = 1"), "syntax-error"),
    "fullwidth eval": (body("return ｅｖａｌ(problem)"), "forbidden-name"),
    "bold exec": (body("return 𝐞𝐱𝐞𝐜(problem)"), "forbidden-name"),
    "a ligature": (body("return ﬁlter.__self__"), "forbidden-attribute"),
    "a homoglyph of another alphabet": (body("return ореn(problem)"), "undefined-name"),
    "format of the class": (body("return '{0.__class__}'.format(problem)"), "forbidden-attribute"),
    "format of the globals": (body("return '{0.format.__globals__[os]}'.format(problem)"), "forbidden-attribute"),
    "format in a format": (body("return '{:{0.__class__}}'.format(problem)"), "forbidden-attribute"),
    "dunder attributes": (body("return ().__class__.__bases__[0].__subclasses__()"), "forbidden-attribute"),
    "dunder by name": (body("return __import__('os').system('id')"), "forbidden-name"),
    "getattr": (body("return getattr(problem, '__class__')"), "forbidden-name"),
    "a huge number": (body("return str(0x" + "f" * 100_000 + ")"), "too-large"),
    "a huge decimal": (body("return str(" + "9" * 100_000 + ")"), "syntax-error"),
    "a huge number as decorator": (
        "class Workflow:\n    @(0x"
        + "f" * 9_000
        + ")\n    async def __call__(self, problem):\n        return problem\n",
        "too-large",
    ),
    "a huge number as exception": (
        body("try:\n    pass\nexcept 0x" + "f" * 9_000 + ":\n    pass\nreturn ''"),
        "too-large",
    ),
    "a long list": (body("x = [" + "1," * 90_000 + "]\nreturn str(x)"), "too-large"),
    "semicolons": (body("x=1;" * 20_000 + "\nreturn problem"), "too-large"),
    "defs without bodies": ("async def __call__(self, problem):\n" * 5_000, "syntax-error"),
    "fences": ("```python\n" * 19_000, "no-workflow"),
    "spaces": (" " * 190_000 + "x", "no-workflow"),
    "classes": ("class Workflow:\n    pass\n" * 7_000, "no-workflow"),
    "methods": (
        "class Workflow:\n"
        + "".join(f"    def m{i}(self):\n        return self.m{i + 1}()\n" for i in range(3_000))
        + HEAD.split("\n")[1]
        + " return problem",
        "unknown-operator",
    ),
    "an open string": (body('x = """' + "a\n" * 15_000), "syntax-error"),
    "nested format fields": (body("return '" + "{:" * 5_000 + "}" * 5_000 + "'.format(problem)"), "bad-format"),
}

ACCEPTED = {
    "sixty elifs": body("if problem:\n    pass\n" + "elif problem:\n    pass\n" * 60 + "return problem"),
    "eight loops": body(nested_loops(8, ["x = problem"])),
    "many strings": body("return " + "'a' " * 40_000),
    "a flat condition": body("return " + " and ".join(["problem"] * 15_000)),
    "a long f-string": body("return f'" + '{f"{problem}"}' * 600 + "'"),
    "many unused calls": body("await self.custom(input='', instruction='')\n" * 2_500 + "return problem"),
    "ninety levels of branches": body(
        "".join(" " * i + "if problem:\n" for i in range(90)) + " " * 90 + "pass\nreturn ''"
    ),
    "tabs and spaces": "class Workflow:\n\tasync def __call__(self, problem):\n        return problem\n",
    "tags": "<graph>\n" * 20_000 + body("return problem"),
    "blank lines": body("return problem") + "\n" * 190_000,
}


def in_time(source, prompts):
    started = time.monotonic()
    report = check(source, prompts)
    assert time.monotonic() - started < 5
    return report


@pytest.mark.slow
@pytest.mark.parametrize("what", REFUSED)
def test_hostile_texts_are_refused_by_a_diagnostic(what):
    source, code = REFUSED[what]
    report = in_time(source, {})
    assert code in [item.code for item in report.diagnostics if item.severity == "error"]
    assert len(report.diagnostics) <= 50
    assert all(len(str(item)) < 1_500 for item in report.diagnostics)


@pytest.mark.slow
@pytest.mark.parametrize("what", ACCEPTED)
def test_odd_but_harmless_texts_are_accepted_and_can_be_printed(what):
    report = in_time(ACCEPTED[what], {})
    assert report.ok, [str(item) for item in report.diagnostics]
    assert Workflow.parse(report.workflow.source, {}) == report.workflow


@pytest.mark.slow
@pytest.mark.parametrize("what", REFUSED)
def test_hostile_prompt_modules_are_answered_too(what):
    report = in_time(body("return problem"), REFUSED[what][0])
    assert all(item.code.startswith("prompt-") for item in report.diagnostics)


def test_constants_that_double_each_other_stay_small():
    report = in_time("A = 'x'\n" + "A = f'{A}{A}'\n" * 60 + body("return A"), None)
    assert sum(map(len, report.workflow.prompts.values())) <= 200_000


@pytest.mark.parametrize("seed", range(30))
def test_garbage_is_answered(seed):
    source = random.Random(seed)
    words = [
        *"()[]{}:,.=+-*'\"#@\\\n\t ",
        "\n    ",
        "\n        ",
        "class Workflow:",
        "async def __call__(self, problem):",
        "return ",
        "await ",
        "self.",
        "custom",
        "problem",
        "if ",
        "for ",
        "in ",
        "lambda ",
        "f'{",
        "}'",
        "try:",
        "except:",
        "\ud800",
        "\0",
        "é",
        "0x",
        "1e9",
        "\\N{",
        "```",
    ]
    for _ in range(100):
        text = "".join(source.choices(words, k=source.randint(1, 60)))
        report = check(HEAD + "        " + text, text)
        assert report.ok or report.diagnostics


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_a_workflow_cut_off_anywhere_is_answered(cut):
    source = body(
        "r = await self.custom(input=f'{problem!r:>10}', instruction='i')\nfor x in problem:\n"
        "    if x:\n        break\nreturn r['response']"
    )
    report = check(source[:cut], {})
    assert report.ok or all(item.severity == "error" for item in report.diagnostics[:1])
