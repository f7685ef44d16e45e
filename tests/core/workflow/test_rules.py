import pytest

from flowreasoner.operators import BUILTIN
from flowreasoner.workflow.language import BUILTINS, EXCEPTIONS, FORBIDDEN_NAMES, MAX_LOOPS, METHODS, MODULES

CALL = "r = await self.custom(input=problem, instruction='i')"


@pytest.fixture
def codes(check_body):
    def found(body, prompts=None, **parts):
        return [(item.code, item.line) for item in check_body(body, prompts, **parts).diagnostics]

    return found


# --- syntax ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("a nested function", "def f():\n    return 1"),
        ("a nested function", "async def f():\n    return 1"),
        ("a nested class", "class A:\n    pass"),
        ("with", "with problem:\n    pass"),
        ("async with", "async with problem:\n    pass"),
        ("async for", "async for x in problem:\n    pass"),
        ("global", "global x"),
        ("nonlocal", "nonlocal x"),
        ("raise", "raise ValueError('x')"),
        ("assert", "assert problem"),
        ("del", "del problem"),
        ("match", "match problem:\n    case 'a':\n        pass"),
        ("TryStar", "try:\n    pass\nexcept* ValueError:\n    pass"),
        ("yield", "yield problem"),
        ("yield from", "yield from problem"),
        ("the := operator", "print((x := 1))"),
        ("a complex literal", "x = 1j"),
        ("a ellipsis literal", "x = ..."),
    ],
)
def test_what_the_language_does_not_have_is_named(check_body, name, statement):
    found = check_body(f"{statement}\nreturn problem").diagnostics[0]
    assert (found.code, found.line) == ("forbidden-syntax", 3)
    assert found.message == f"{name} is outside the workflow language"


@pytest.mark.parametrize(
    "body",
    [
        "x = y = 1\nx, (y, *z) = 1, [2, 3]\n[x, y] = z, 1\nx += 1\nreturn str(x)",
        "if problem:\n    pass\nelif 1:\n    pass\nelse:\n    pass\nreturn ''",
        "for x in problem:\n    if x:\n        continue\n    break\nelse:\n    x = 1\nreturn str(x)",
        "x = 1\nwhile x < 3:\n    x += 1\nelse:\n    x = 0\nreturn str(x)",
        (
            "try:\n    x = 1\nexcept (ValueError, KeyError) as e:\n    x = str(e)\n"
            "except json.JSONDecodeError:\n    x = 2\nexcept re.error:\n    x = 4\nexcept:\n"
            "    x = 3\nelse:\n    x = 5\nfinally:\n    print(x)\nreturn str(x)"
        ),
        "return str([a for a in problem if a]) + str({a: 1 for a in problem})",
        "return str({a for a in problem}) + str(list(a for a in problem))",
        "return str({'a': 1, **{'b': 2}}) + str([*problem, 1]) + str((1, *problem)) + str({1, 2})",
        "return problem[1:2] + problem[::-1] + problem[-1]",
        "return f'{problem!r:>10}' f'{problem:{len(problem)}}'",
        "f = lambda a, b: a + b\nreturn f('a', 'b')",
        "return problem if not problem and 1 < 2 <= 3 or problem is not None else ''",
        "return sorted([problem], key=len)[0] + ''.join(map(str, [1]))",
        "r = await asyncio.gather(self.custom(input='', instruction=''), return_exceptions=True)\nreturn str(r)",
        "return str(-1 + 2 - 3 * 4 / 5 // 6 % 7 ** 8 & 9 | 1 ^ 2 << 3 >> 1) + str(~1) + str(not 1)",
        "prompt_custom.NEW = 'a'\nprompt_custom.NEW += 'b'\nreturn prompt_custom.NEW",
        "print(problem, 1)\nreturn problem",
    ],
)
def test_everything_the_language_has_is_accepted(check_body, body):
    assert [str(item) for item in check_body(body).diagnostics] == []


def test_loops_may_nest_up_to_the_limit(codes):
    def nested(depth):
        loops = "".join(" " * i + f"for a{i} in problem:\n" for i in range(depth))
        return codes(loops + " " * depth + "pass\nreturn problem")

    assert nested(MAX_LOOPS) == []
    assert nested(MAX_LOOPS + 1) == [("too-deep", 3 + MAX_LOOPS)]


def test_break_in_the_else_of_an_inner_loop_leaves_the_outer_one(codes):
    body = "for x in problem:\n    for y in x:\n        pass\n    else:\n        break\nreturn problem"
    assert codes(body) == []


@pytest.mark.parametrize("word", ["break", "continue"])
def test_break_and_continue_in_the_else_of_the_outermost_loop_are_refused(codes, word):
    assert codes(f"for x in problem:\n    pass\nelse:\n    {word}\nreturn problem") == [("syntax-error", 6)]


@pytest.mark.parametrize("kind", ["Trouble", "BaseException", "KeyboardInterrupt", "'x'", "json.Error"])
def test_only_known_exceptions_can_be_caught(check_body, kind):
    (found,) = check_body(f"try:\n    pass\nexcept {kind}:\n    pass\nreturn problem").diagnostics
    assert (found.code, found.line) == ("undefined-name", 5)
    assert kind in found.message
    assert found.remedy == "catch Exception instead"


@pytest.mark.parametrize(
    "body",
    [
        "f = lambda: await self.custom(input='', instruction='')\nreturn str(f)",
        "return str(list(await self.custom(input='', instruction='') for _ in problem))",
    ],
)
def test_await_is_refused_where_python_has_none(codes, body):
    assert ("syntax-error", 3) in codes(body)


def test_await_is_refused_in_a_plain_method(codes):
    members = "def ask(self):\n    return await self.custom(input='', instruction='')"
    assert codes("return self.ask()", members=members) == [("syntax-error", 5)]


# --- what only the compiler refuses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("print(*problem, end='', end='')\nreturn ''", "keyword argument repeated: end"),
        ("*a, *b = problem\nreturn ''", "multiple starred expressions in assignment"),
        ("a = *problem\nreturn ''", "can't use starred expression here"),
        (
            "try:\n    pass\nexcept:\n    pass\nexcept ValueError:\n    pass\nreturn ''",
            "default 'except:' must be last",
        ),
        ("f = lambda x, x: x\nreturn f('', '')", "duplicate argument 'x'"),
    ],
)
def test_what_only_the_compiler_refuses_is_refused(check_body, body, words):
    (found,) = check_body(body).diagnostics
    assert found.code == "syntax-error"
    assert words in found.message


def test_parameters_of_the_same_name_are_refused(check_body):
    report = check_body("return self.tidy('', '')", members="def tidy(self, a, a):\n    return a")
    assert [(item.code, item.line) for item in report.diagnostics] == [("syntax-error", 4)]


def test_doubtful_but_valid_code_raises_no_warning(check_body):
    assert check_body("return str(problem is 'a') + '\\\\d'").ok


# --- names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FORBIDDEN_NAMES))
def test_forbidden_names_are_refused_with_their_reason(check_body, name):
    (found,) = check_body(f"return {name}(problem)").diagnostics
    assert (found.code, found.line) == ("forbidden-name", 3)
    assert found.message == f"{name!r} {FORBIDDEN_NAMES[name]}"


def test_no_name_is_both_admitted_and_forbidden():
    assert not BUILTINS & FORBIDDEN_NAMES.keys()


@pytest.mark.parametrize("name", sorted(FORBIDDEN_NAMES))
def test_forbidden_names_cannot_be_handed_on_as_values(codes, name):
    assert codes(f"return str(list(map({name}, problem)))") == [("forbidden-name", 3)]


def test_a_local_variable_may_have_a_forbidden_name(codes):
    assert codes("input = problem\nreturn input") == []


@pytest.mark.parametrize("name", sorted(EXCEPTIONS))
def test_exceptions_are_no_values(codes, name):
    assert codes(f"x = {name}\nreturn problem") == [("forbidden-name", 3)]


@pytest.mark.parametrize("kinds", ["Exception", "(ValueError, str)", "str", "(list, tuple)"])
def test_isinstance_takes_types_and_exceptions(codes, kinds):
    assert codes(f"return str(isinstance(problem, {kinds}))") == []


def test_isinstance_takes_no_other_kind(codes):
    assert codes("return str(isinstance(problem, Trouble))") == [("undefined-name", 3)]
    assert codes("return str(isinstance(Exception, str))") == [("forbidden-name", 3)]


@pytest.mark.parametrize("name", ["__name__", "__file__", "__builtins__", "__import__"])
def test_dunder_names_are_refused(codes, name):
    assert codes(f"return str({name})")[0][0] in {"undefined-name", "forbidden-name"}
    assert codes(f"{name} = 1\nreturn problem")[0] == ("forbidden-name", 3)


@pytest.mark.parametrize(
    "expression",
    [
        "problem.__class__",
        "problem.__class__.__mro__",
        "problem.__len__()",
        "(lambda: 0).__globals__",
        "problem.format.__self__",
        "[].append",
        "self.custom.perform",
        "self.__dict__",
        "self.llm",
        "prompt_custom.__dict__",
        "json.decoder",
        "re._compiler",
        "random.Random",
        "asyncio.sleep(1)",
        "json.load(problem)",
        "'{0.x}'.format(problem)",
        "'{0[_x]}'.format(problem)",
        "problem.encode()",
        "problem.format_map({})",
        "problem.translate({})",
    ],
)
def test_no_expression_reaches_into_objects(check_body, expression):
    report = check_body(f"return str({expression})")
    assert not report.ok
    assert report.diagnostics[0].line == 3


def test_did_you_mean_knows_variables_builtins_and_prompts(check_body):
    def hint(name):
        return check_body(f"answer_text = problem\nreturn {name}", {"LONG_PROMPT": ""}).diagnostics[0].message

    assert hint("answer_txt").endswith("did you mean 'answer_text'?")
    assert hint("sortd").endswith("did you mean 'sorted'?")
    assert hint("LONG_PROMT").endswith("did you mean 'LONG_PROMPT'?")
    assert hint("zzz") == "the name 'zzz' is not defined"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_each_module_offers_its_functions_and_no_others(check_body, module):
    for name in sorted(MODULES[module] - {"gather"}):
        assert check_body(f"x = {module}.{name}\nreturn problem").ok, name
    (found,) = check_body(f"return {module}.system(problem)").diagnostics
    assert found.code == "unknown-function"
    assert f"{module}.system" in found.message
    assert module in found.remedy


@pytest.mark.parametrize("kind", sorted(METHODS))
def test_each_listed_method_passes_the_checker(check_body, kind):
    for name in sorted(METHODS[kind]):
        assert check_body(f"x = problem.{name}()\nreturn problem").ok, name


# --- prompts -------------------------------------------------------------------------------------------------


def test_a_prompt_that_the_workflow_writes_is_defined(codes):
    assert codes("prompt_custom.OWN = problem\nreturn prompt_custom.OWN") == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Do {this} and {that}.", "{this}"),
        ("JSON like {{a}} or {'a': 1} or {} or { x }", None),
        ("f{x} and a}{b}", None),
        ("start {x}", "{x}"),
    ],
)
def test_placeholders_that_nothing_fills_are_reported(check_body, text, names):
    report = check_body(
        "r = await self.custom(input='', instruction=prompt_custom.P)\nreturn r['response']", {"P": text}
    )
    assert report.ok
    assert [item.code for item in report.diagnostics] == ["unfilled-placeholder"] * bool(names)
    assert all(names in item.message for item in report.diagnostics)


def test_a_filled_placeholder_is_not_reported(codes):
    body = "r = await self.custom(input='', instruction=prompt_custom.P.format(x=problem))\nreturn r['response']"
    assert codes(body, {"P": "On {x}."}) == []


# --- operators -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_every_operator_is_accepted_with_its_own_interface(codes, name):
    operator = BUILTIN[name]
    arguments = ", ".join(f"{item.name}=problem" for item in operator.inputs)
    key = operator.output_names[0]
    assert codes(f"r = await self.{operator.attribute}({arguments})\nreturn str(r['{key}'])") == []


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_every_operator_names_what_is_missing(check_body, name):
    operator = BUILTIN[name]
    required = [
        item.name for item in operator.inputs if repr(item.default) == "REQUIRED" and item.name != "entry_point"
    ]
    found = check_body(f"return str(await self.{operator.attribute}())").diagnostics
    assert [item.message for item in found] == [
        f"{name} is called without {argument!r}" for argument in sorted(required)
    ]
    assert {item.remedy for item in found} == {f"its interface is {operator.interface()}"}


@pytest.mark.parametrize("arguments", ["*problem", "**{'input': problem}"])
def test_arguments_of_operators_cannot_be_spread(check_body, arguments):
    found = check_body(f"r = await self.custom({arguments})\nreturn r['response']").diagnostics
    assert ("unknown-argument", 3) in [(item.code, item.line) for item in found]


def test_an_operator_is_no_value(codes):
    assert codes("f = self.custom\nreturn str(f)") == [("undefined-attribute", 3)]
    assert codes(f"f = self.custom\n{CALL}\nreturn r['response']") == [("forbidden-attribute", 3)]
