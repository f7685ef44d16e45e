import ast
from pathlib import Path

import pytest

import flowreasoner.workflow
from flowreasoner.errors import WorkflowInvalid
from flowreasoner.operators import BUILTIN
from flowreasoner.workflow import Workflow, check

HEAD = "class Workflow:\n    async def __call__(self, problem):\n"
CALL = "r = await self.custom(input=problem, instruction='i')"


def body(*lines):
    """Returns a workflow with these lines as its body, the first on line 3."""
    return HEAD + "".join(f"        {line}\n" for line in lines)


# (code, severity, line, what the message names, source, prompts)
FINDINGS = [
    # --- the text
    ("too-large", "error", 0, "200,001", "#" * 200_001, {}),
    ("too-large", "error", 3, "8,000 bits", body("x = 0x" + "f" * 2000, "return 'a'"), {}),
    ("binary-content", "error", 2, "NUL", "class Workflow:\n    \0", {}),
    ("empty", "error", 0, "the workflow is empty", " \n\t\n", {}),
    ("syntax-error", "error", 3, "return problem +", body("return problem +"), {}),
    ("too-deep", "error", 3, "100 levels", body("return " + "-" * 200 + "1"), {}),
    # --- the parts
    ("no-workflow", "error", 0, "Workflow", "x = 1\n", {}),
    ("no-workflow", "error", 0, "Workflow", "class Flow:\n    def other(self):\n        return 1\n", {}),
    ("no-workflow", "error", 2, "class Workflow", "import re\nclass Workflow:\n    x = 1\n", {}),
    (
        "forbidden-syntax",
        "error",
        2,
        "For",
        "class Workflow:\n    for x in (): pass\n" + HEAD.split("\n")[1] + " return problem",
        {},
    ),
    (
        "forbidden-attribute",
        "error",
        4,
        "'__repr__'",
        body("return problem") + "    def __repr__(self):\n        return ''\n",
        {},
    ),
    (
        "forbidden-syntax",
        "error",
        2,
        "@cache",
        "class Workflow:\n    @cache\n" + HEAD.split("\n")[1] + " return problem",
        {},
    ),
    ("ignored-import", "warning", 1, "'os'", "import os\n" + body("return problem"), {}),
    ("ignored-import", "warning", 3, "'os'", body("import os", "return problem"), {}),
    ("forbidden-import", "error", 4, "'os'", body("import os", "return os.getcwd()"), {}),
    ("forbidden-import", "error", 4, "'os.path'", "import os.path\n" + body("return os.getcwd()"), {}),
    (
        "unknown-parameter",
        "error",
        2,
        "'level'",
        HEAD.replace("problem", "problem, level") + "        return level\n",
        {},
    ),
    (
        "forbidden-syntax",
        "error",
        4,
        "plain parameters",
        body("return problem") + "    def tidy(self, *texts):\n        return ''\n",
        {},
    ),
    (
        "forbidden-syntax",
        "error",
        4,
        "tidy",
        body("return problem") + "    def tidy(self, a, b=1, *, c):\n        return c\n",
        {},
    ),
    # --- syntax
    ("forbidden-syntax", "error", 3, "with", body("with problem:", "    pass", "return problem"), {}),
    ("forbidden-syntax", "error", 3, "the := operator", body("return (x := problem)"), {}),
    ("forbidden-syntax", "error", 3, "async for", body("return str([x async for x in problem])"), {}),
    ("forbidden-syntax", "error", 3, "!a", body("return f'{problem!a}'"), {}),
    ("forbidden-syntax", "error", 3, "bytes", body("return str(b'x')"), {}),
    ("forbidden-syntax", "error", 3, "lambda x=1: x", body("f = lambda x=1: x", "return f()"), {}),
    ("forbidden-syntax", "error", 3, "'problem[0]'", body("return problem[0]()"), {}),
    (
        "too-deep",
        "error",
        11,
        "8 deep",
        body(*(" " * i + f"for a{i} in problem:" for i in range(9)), " " * 9 + "pass", "return ''"),
        {},
    ),
    ("syntax-error", "error", 3, "'break'", body("break", "return problem"), {}),
    (
        "syntax-error",
        "error",
        6,
        "'continue'",
        body("for x in problem:", "    pass", "else:", "    continue", "return problem"),
        {},
    ),
    ("syntax-error", "error", 3, "neither in a plain def", body("return str((lambda x: await x)).strip()"), {}),
    (
        "syntax-error",
        "error",
        3,
        "keyword argument repeated: input",
        body("await self.custom(input='', input='', instruction='')", "return ''"),
        {},
    ),
    ("syntax-error", "error", 3, "multiple starred", body("*a, *b = problem", "return ''"), {}),
    # --- names
    ("forbidden-name", "error", 3, "'eval'", body("return eval(problem)"), {}),
    ("forbidden-name", "error", 3, "'self'", body("return str(self)"), {}),
    ("forbidden-name", "error", 3, "'__x'", body("__x = 1", "return problem"), {}),
    ("forbidden-name", "error", 3, "'json'", body("return str(json)"), {}),
    ("undefined-name", "error", 3, "'total'", body("return total"), {}),
    ("undefined-name", "error", 3, "'x' is used before it is assigned", body("y = x", "x = y", "return x"), {}),
    (
        "undefined-name",
        "error",
        5,
        "'Trouble'",
        body("try:", "    pass", "except Trouble:", "    pass", "return problem"),
        {},
    ),
    ("maybe-undefined", "warning", 5, "'x'", body("if problem:", "    x = problem", "return x"), {}),
    ("forbidden-attribute", "error", 3, "'__class__'", body("return str(problem.__class__)"), {}),
    ("forbidden-attribute", "error", 3, "'_private'", body("return problem._private()"), {}),
    ("forbidden-attribute", "error", 3, "'problem.x'", body("problem.x = 1", "return problem"), {}),
    ("forbidden-attribute", "error", 3, "'real'", body("return str(len(problem).real)"), {}),
    ("forbidden-attribute", "error", 3, "self.custom", body("f = self.custom", CALL, "return r['response']"), {}),
    ("forbidden-attribute", "error", 3, "{0.__class__}", body("return '{0.__class__}'.format(problem)"), {}),
    ("undefined-attribute", "error", 3, "self.attempts", body("return str(self.attempts)"), {}),
    (
        "unknown-function",
        "error",
        3,
        "math.sqroot is outside the language, did you mean 'sqrt'?",
        body("return str(math.sqroot(4))"),
        {},
    ),
    (
        "unknown-function",
        "error",
        3,
        "'strp' is outside the language, did you mean 'strip'?",
        body("return problem.strp()"),
        {},
    ),
    ("bad-format", "error", 3, "Single '}'", body("return 'a } b'.format(problem)"), {}),
    # --- prompts
    (
        "undefined-prompt",
        "error",
        3,
        "prompt_custom.SOLV is not defined, did you mean 'SOLVE'?",
        body("return prompt_custom.SOLV"),
        {"SOLVE": "s"},
    ),
    ("prompts-missing", "warning", 3, "prompt_custom.SOLVE", body("return prompt_custom.SOLVE"), None),
    (
        "unfilled-placeholder",
        "warning",
        3,
        "{topic}",
        body("r = await self.custom(input=problem, instruction=prompt_custom.P)", "return r['response']"),
        {"P": "On {topic}."},
    ),
    ("prompt-not-constant", "warning", 1, "'P'", body("return problem"), "P = open('x').read()"),
    ("prompt-syntax-error", "error", 2, "'Q ='", body("return problem"), "P = 'p'\nQ = \n"),
    ("prompt-too-large", "error", 0, "the prompt module", body("return problem"), "#" * 200_001),
    ("prompt-too-deep", "error", 1, "the prompt module", body("return problem"), "P = " + "-" * 200 + "1"),
    ("prompt-binary-content", "error", 1, "the prompt module", body("return problem"), "\0"),
    # --- operators
    (
        "unknown-operator",
        "error",
        3,
        "'Custm', did you mean 'Custom'?",
        body("r = await operator.Custm(self.llm)(input='')", "return str(r)"),
        {},
    ),
    ("unknown-operator", "error", 3, "self.custum", body("return await self.custum(input=problem)"), {}),
    (
        "unknown-argument",
        "error",
        3,
        "'inputs', did you mean 'input'?",
        body("r = await self.custom(inputs='', input='', instruction='')", "return r['response']"),
        {},
    ),
    ("unknown-argument", "error", 3, "Custom", body("r = await self.custom(*problem)", "return r['response']"), {}),
    (
        "missing-argument",
        "error",
        3,
        "'instruction'",
        body("r = await self.custom(input=problem)", "return r['response']"),
        {},
    ),
    # --- control flow
    ("missing-return", "error", 3, "not every path", body("if problem:", "    return problem"), {}),
    ("missing-return", "error", 3, "return without a value", body("return"), {}),
    ("unreachable", "warning", 4, "never reached", body("return problem", "x = 1"), {}),
    ("unbounded-loop", "error", 3, "never ends", body("while True:", "    x = 1", "return problem"), {}),
    (
        "unbounded-loop",
        "error",
        3,
        "'len(problem) > 3'",
        body("while len(problem) > 3:", "    x = 1", "return problem"),
        {},
    ),
    (
        "unbounded-loop",
        "warning",
        3,
        "a condition inside",
        body("while True:", "    if problem:", "        return problem"),
        {},
    ),
    (
        "missing-await",
        "error",
        4,
        "Custom",
        body("r = self.custom(input='', instruction='')", "return r['response']"),
        {},
    ),
    ("unknown-key", "error", 4, "'answer'", body(CALL, "return r['answer']"), {}),
    ("maybe-unknown-key", "warning", 4, "'answer'", body(CALL, "return r.get('answer', '')"), {}),
    ("unused-result", "warning", 3, "the result 'r' of Custom", body(CALL, "return problem"), {}),
    ("unused-result", "warning", 3, "the result of Custom", body(CALL.removeprefix("r = "), "return problem"), {}),
]


@pytest.mark.parametrize(
    ("code", "severity", "line", "named", "source", "prompts"),
    FINDINGS,
    ids=[f"{item[0]}-{index}" for index, item in enumerate(FINDINGS)],
)
def test_each_finding_has_its_code_line_and_offending_value(code, severity, line, named, source, prompts):
    report = check(source, prompts)
    found = [item for item in report.diagnostics if item.code == code]
    assert [(item.severity, item.line) for item in found] == [(severity, line)]
    assert named in found[0].message
    assert found[0].remedy
    assert report.ok is (severity == "warning")


def test_every_code_in_the_source_is_in_the_table():
    assert _codes_in_source() == {item[0] for item in FINDINGS}


# Where the code stands among the arguments of what makes a diagnostic.
_MAKERS = {
    "Diagnostic": 2,
    "_diagnostic": 1,
    "refuse": 1,
    "warn": 1,
    "_error": 1,
    "_add": 1,
    "report": 1,
    "_refused": 0,
}
# Reports handed on as they are, and the prefix for the prompt module.
_HANDED_ON = {"code", "item.code", "f'prompt-{p.code}'"}


def _codes_in_source():
    folder = Path(flowreasoner.workflow.__file__).parent
    codes = {"prompt-" + code for code in ("too-large", "too-deep", "binary-content", "syntax-error")}
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name not in _MAKERS or len(node.args) < 4:
                continue
            argument = node.args[_MAKERS[name]]
            if isinstance(argument, ast.Constant):
                codes.add(argument.value)
            else:
                assert ast.unparse(argument) in _HANDED_ON, f"{path.name}:{node.lineno}"
    return codes


def test_all_problems_are_reported_at_once():
    report = check(
        body("x = eval(problem)", "y = open(problem)", "await self.custom(input=missing)", "return x.__dict__")
    )
    assert [(item.code, item.line) for item in report.diagnostics] == [
        ("forbidden-name", 3),
        ("forbidden-name", 4),
        ("missing-argument", 5),
        ("undefined-name", 5),
        ("forbidden-attribute", 6),
    ]


def test_errors_come_before_warnings():
    report = check("import os\n" + body("return missing"))
    assert [item.severity for item in report.diagnostics] == ["error", "warning"]


def test_no_more_than_fifty_findings_are_reported():
    assert len(check(body(*(f"x = a{i}" for i in range(90)), "return x")).diagnostics) == 50
    assert len(check(body(*[CALL] * 90, "return ''")).diagnostics) == 50


def test_parse_raises_with_all_diagnostics():
    with pytest.raises(WorkflowInvalid, match=r"line 3: the name 'a' is not defined.*\(and 1 more\)") as caught:
        Workflow.parse(body("x = a", "return b"), {})
    assert [item.code for item in caught.value.diagnostics] == ["undefined-name"] * 2


def test_warnings_travel_with_the_workflow():
    report = check(body(CALL, "return problem"))
    assert [item.code for item in report.workflow.diagnostics] == ["unused-result"]


def test_unreadable_prompts_do_not_hide_the_workflows_own_problems():
    codes = [item.code for item in check(body("return missing + prompt_custom.P"), "P = (").diagnostics]
    assert codes == ["prompt-syntax-error", "undefined-name"]


def test_unreadable_workflow_and_prompts_are_both_reported():
    codes = {item.code for item in check("class Workflow(", "P = (").diagnostics}
    assert codes == {"syntax-error", "prompt-syntax-error"}


def test_operators_can_be_restricted():
    only_custom = {"Custom": BUILTIN["Custom"]}
    report = check(body("r = await self.review(problem='', solution='')", "return r['feedback']"), {}, only_custom)
    (found,) = report.diagnostics
    assert (found.code, found.remedy) == ("unknown-operator", "operators are custom")


def test_the_given_text_is_kept():
    source = "```python\n" + body("return problem") + "```"
    assert check(source).workflow.given == source


def test_imports_of_the_adapters_are_a_frameworks_like_any_other():
    report = check("from flowreasoner_adapters.aflow.operators import CostManager\n" + body("return problem"))
    assert report.ok
    assert not report.diagnostics
