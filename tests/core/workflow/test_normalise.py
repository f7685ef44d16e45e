import pytest

from flowreasoner.workflow import Workflow, check

COST = "self.llm.cost_manager.total_cost"


def entry(workflow):
    """Returns the entry method's statements as canonical source."""
    text = workflow.source.split("async def __call__(")[1]
    header, _, body = text.partition("\n")
    return header, [line.removeprefix("        ") for line in body.split("\n\n")[0].rstrip().split("\n")]


@pytest.fixture
def canonical(check_body):
    def lines(body, prompts=None, **parts):
        report = check_body(body, prompts, **parts)
        assert report.ok, [str(item) for item in report.diagnostics]
        return entry(report.workflow)[1], report.repairs

    return lines


# --- arguments ---------------------------------------------------------------------------------------------


def test_positional_arguments_get_their_names(canonical):
    lines, repairs = canonical("r = await self.review(problem, 'x')\nreturn r['feedback']")
    assert lines[0] == "r = await self.review(problem=problem, solution='x')"
    assert repairs == ()


def test_too_many_positional_arguments_are_refused(check_body):
    (found,) = check_body("r = await self.format('a', 'b', 'c')\nreturn r['solution']").diagnostics
    assert (found.code, found.line) == ("unknown-argument", 3)
    assert "Format" in found.message


def test_missing_entry_point_is_passed_and_declared(check_body):
    report = check_body("r = await self.custom_code_generate(problem=problem, instruction='i')\nreturn r['response']")
    assert report.repairs == (
        "line 3: entry_point=entry_point passed to CustomCodeGenerate",
        "the parameter 'entry_point' is used but was not declared; added",
    )
    header, lines = entry(report.workflow)
    assert header == "self, problem: str, entry_point: str):"
    assert lines[0].endswith("entry_point=entry_point)")


def test_undeclared_standard_parameters_are_added_before_optional_ones(check_body):
    report = check_body("return f'{entry_point}{test_cases}{rounds}'", parameters="problem, rounds=2")
    assert report.workflow.program.entry.parameters == ("problem", "entry_point", "test_cases", "rounds")
    assert len(report.repairs) == 2


def test_local_variables_of_the_same_names_are_left_alone(check_body):
    report = check_body("entry_point = 'f'\nreturn entry_point")
    assert report.workflow.program.entry.parameters == ("problem",)
    assert report.repairs == ()


def test_helper_methods_get_no_parameters(check_body):
    (found,) = check_body("return self.tidy()", members="def tidy(self):\n    return entry_point").diagnostics
    assert (found.code, found.line) == ("undefined-name", 5)
    assert "'entry_point'" in found.message


def test_unused_catch_all_of_the_entry_is_dropped(check_body):
    report = check_body("return problem", parameters="problem, **kwargs")
    assert report.repairs == ("the unused parameter **kwargs removed",)
    assert report.workflow.program.entry.parameters == ("problem",)


@pytest.mark.parametrize("parameters", ["problem, *args", "problem, /", "problem, **options"])
def test_other_parameters_are_refused(check_body, parameters):
    report = check_body("return str(options)" if "options" in parameters else "return problem", parameters=parameters)
    assert "forbidden-syntax" in [item.code for item in report.diagnostics]


def test_arguments_that_hand_on_the_frameworks_objects_are_dropped():
    source = (
        "class Workflow:\n    def __init__(self, benchmark):\n        self.benchmark = benchmark\n"
        "    async def __call__(self, problem, entry_point):\n"
        "        r = await self.test(problem=problem, solution='', entry_point=entry_point, benchmark=self.benchmark)\n"
        "        return r['solution']\n"
    )
    report = check(source)
    assert report.ok
    assert "line 5: benchmark=self.benchmark of Test removed" in report.repairs


# --- spellings of operators --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "r = await operator.Custom(self.llm)(input='a', instruction='b')\nreturn r['response']",
        "r = await operator.Custom(input='a', instruction='b')\nreturn r['response']",
        "r = await Custom(self.llm)(input='a', instruction='b')\nreturn r['response']",
    ],
)
def test_inline_operators_move_to_init(canonical, body):
    lines, repairs = canonical(body)
    assert lines[0] == "r = await self.custom(input='a', instruction='b')"
    assert repairs == ("the inline operator.Custom moved to __init__",)


def test_operators_bound_to_a_local_variable_move_to_init(canonical):
    lines, _ = canonical(
        "ask = operator.Custom(self.llm)\nr = await ask(input='a', instruction='b')\nreturn r['response']"
    )
    assert lines == ["r = await self.custom(input='a', instruction='b')", "return r['response']"]


def test_inline_operator_does_not_take_the_place_of_another_one():
    source = (
        "class Workflow:\n    def __init__(self, llm):\n        self.custom = operator.AnswerGenerate(llm)\n"
        "    async def __call__(self, problem):\n"
        "        a = await self.custom(input=problem)\n"
        "        b = await operator.Custom(self.llm)(input=a['answer'], instruction='i')\n"
        "        return b['response']\n"
    )
    workflow = check(source).workflow
    assert workflow.program.bindings == {"custom": "AnswerGenerate", "custom_": "Custom"}
    assert "a = await self.custom(input=problem)" in workflow.source


def test_operator_that_init_forgot_is_bound_by_its_known_attribute():
    source = (
        "class Workflow:\n    def __init__(self, llm):\n        self.llm = llm\n"
        "    async def __call__(self, problem):\n"
        "        r = await self.answer_generate(input=problem)\n        return r['answer']\n"
    )
    assert check(source).repairs == ("self.answer_generate is used but not set in __init__; bound to AnswerGenerate",)


def test_unused_bindings_are_left_out():
    source = (
        "class Workflow:\n    def __init__(self, llm):\n        self.a = operator.Custom(llm)\n"
        "        self.b = operator.Review(llm)\n"
        "    async def __call__(self, problem):\n        return (await self.a(input='', instruction=''))['response']\n"
    )
    assert check(source).workflow.program.bindings == {"a": "Custom"}


def test_code_generate_is_another_name_of_custom_code_generate(check_body):
    report = check_body(
        "r = await self.code_generate(problem=problem, entry_point='f', instruction='')\nreturn r['response']"
    )
    assert report.workflow.program.bindings == {"code_generate": "CustomCodeGenerate"}


def test_a_helper_method_goes_before_an_operator_of_the_same_name(check_body):
    report = check_body("return self.custom(problem)", members="def custom(self, text):\n    return text")
    assert report.workflow.program.bindings == {}


# --- money spent -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling",
    [
        COST,
        'self.llm.get_usage_summary()["total_cost"]',
        "self.llm.get_usage_summary().get('total_cost')",
        "self.llm.get_usage_summary().get('total_cost', 0.0)",
        "self.model.cost_manager.get_total_cost()",
        "self.cost_manager.total_cost",
    ],
)
def test_all_spellings_of_the_cost_become_one(canonical, spelling):
    assert canonical(f"return problem, {spelling}")[0] == [f"return (problem, {COST})"]


def test_a_key_of_that_name_in_a_variable_is_no_cost(canonical):
    assert canonical("d = {'total_cost': 'x'}\nreturn d['total_cost']")[0][1] == "return d['total_cost']"


# --- names, imports, logging -------------------------------------------------------------------------------


def test_missing_import_is_added(canonical):
    lines, repairs = canonical("return re.sub('a', 'b', problem)")
    assert lines == ["import re", "return re.sub('a', 'b', problem)"]
    assert repairs == ("the missing 'import re' added",)


@pytest.mark.parametrize(
    ("statement", "use", "expected"),
    [
        ("import math as m", "m.sqrt(4)", "math.sqrt(4)"),
        ("from math import sqrt", "sqrt(4)", "math.sqrt(4)"),
        ("from math import sqrt as root", "root(4)", "math.sqrt(4)"),
        ("from collections import Counter", "Counter(problem)", "collections.Counter(problem)"),
        ("import json, re", "json.dumps(problem)", "json.dumps(problem)"),
    ],
)
@pytest.mark.parametrize("place", ["module", "method"])
def test_imports_of_the_language_are_resolved(place, statement, use, expected, write):
    body = f"return str({use})"
    source = f"{statement}\n{write(body)}" if place == "module" else write(f"{statement}\n{body}")
    report = check(source)
    assert report.repairs == ()
    assert entry(report.workflow)[1][-1] == f"return str({expected})"


def test_a_local_variable_hides_a_module(canonical):
    assert canonical("re = 'x'\nreturn re.strip()")[0] == ["re = 'x'", "return re.strip()"]


def test_bare_prompt_names_are_completed(canonical):
    lines, repairs = canonical("return PLAN + problem", {"PLAN": "p"})
    assert lines == ["return prompt_custom.PLAN + problem"]
    assert repairs == ("PLAN written as prompt_custom.PLAN",)


@pytest.mark.parametrize(
    "call", ["logger.info('x')", "logging.warning('x', exc_info=True)", "log.debug('x', stacklevel=2)"]
)
def test_logging_becomes_print(canonical, call):
    assert canonical(f"{call}\nreturn problem")[0][0] == "print('x')"


def test_annotations_are_removed(canonical):
    assert canonical("x: str\ny: list[str] = [problem]\nreturn y[0]")[0] == ["y = [problem]", "return y[0]"]


def test_blocks_that_become_empty_are_filled(canonical):
    assert canonical("if problem:\n    import re\nreturn problem")[0] == ["if problem:", "    pass", "return problem"]


def test_module_level_function_calls_become_method_calls(write):
    source = f"async def ask(text):\n    return text\n\n{write('return await ask(problem)')}"
    assert entry(check(source).workflow)[1] == ["return await self.ask(problem)"]


@pytest.mark.parametrize("word", ["async ", ""])
def test_a_repeated_def_inside_the_first_is_unwrapped(word):
    source = (
        f"class Workflow:\n    {word}def __call__(self, problem):\n"
        f"        async def __call__(self, problem, entry_point):\n            return entry_point\n"
    )
    report = check(source)
    assert "a second def __call__ directly inside the first unwrapped" in report.repairs
    assert report.workflow.program.entry.parameters == ("problem", "entry_point")


def test_nodes_keep_their_place_in_the_given_text(check_body):
    workflow = check_body("x = 1\nr = await operator.Custom(self.llm)('a', 'b')\nreturn r['response']").workflow
    assert [site.line for site in workflow.program.sites] == [4]


# --- ScoreFlow ---------------------------------------------------------------------------------------------

SCOREFLOW = """\
class Workflow:
    def __init__(self, config, problem) -> None:
        self.problem = problem
        self.config = create(config)
        self.custom = operator.Custom(self.config, self.problem)
        self.programmer = operator.Programmer(self.config, self.problem)
        self.review = operator.Review(self.config, self.problem)
        self.sc_ensemble = operator.ScEnsemble(self.config, self.problem)

    async def run_workflow(self):
{body}
"""


def scoreflow(*lines):
    return SCOREFLOW.format(body="\n".join(f"        {line}" for line in lines))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("self.custom(instruction='i')", "self.custom(instruction='i', input=problem)['response']"),
        ("self.custom('i')", "self.custom(instruction='i', input=problem)['response']"),
        ("self.programmer()", "self.programmer(problem=problem)['output']"),
        ("self.programmer(analysis='a')", "self.programmer(analysis='a', problem=problem)['output']"),
        ("self.sc_ensemble(solutions=['a'])", "self.sc_ensemble(solutions=['a'], problem=problem)['response']"),
        ("self.answer_generate()", "self.answer_generate(input=problem)['answer']"),
        (
            "self.review(pre_solution='a')",
            "self.review(solution='a', feedback='Check every step of the proposed solution and write a better one.', "
            "problem=problem)['solution']",
        ),
        (
            "self.custom_code_generate(instruction='i')",
            "self.custom_code_generate(instruction='i', problem=problem, entry_point=entry_point)['response']",
        ),
        ("self.test(solution='s')", "self.test(solution='s', problem=problem, entry_point=entry_point)['solution']"),
    ],
)
def test_scoreflows_operators_return_strings(call, expected):
    workflow = Workflow.parse(scoreflow(f"return await {call}"), {})
    method, rest = expected.split("(", 1)
    assert f"return (await {method}({rest.rsplit('[', 1)[0]})[{rest.rsplit('[', 1)[1]}" in workflow.source


def test_scoreflows_problem_becomes_a_parameter():
    workflow = Workflow.parse(scoreflow("return self.problem"), {})
    assert entry(workflow) == ("self, problem: str):", ["return problem"])
    assert workflow.repairs == ()


def test_scoreflows_review_is_our_revise():
    workflow = Workflow.parse(scoreflow("return await self.review(pre_solution=self.problem)"), {})
    assert workflow.program.bindings == {"review": "Revise"}


def test_scoreflow_workflow_without_the_problem_still_takes_it():
    assert Workflow.parse(scoreflow("return 'x'"), {}).program.entry.parameters == ("problem",)


def test_scoreflow_gather_returns_strings_too():
    lines = entry(
        Workflow.parse(
            scoreflow(
                "drafts = await asyncio.gather(*[self.custom(instruction='i') for _ in range(3)])",
                "return await self.sc_ensemble(solutions=drafts)",
            ),
            {},
        )
    )[1]
    assert lines[1].startswith("drafts = [one['response'] for one in await asyncio.gather(")


@pytest.mark.parametrize(
    "statement",
    [
        "tasks = [self.custom(instruction='i')]",
        "tasks = await asyncio.gather(self.custom(instruction='i'), self.programmer())",
        "tasks = await asyncio.gather(self.custom(instruction='i'), self.other())",
    ],
)
def test_scoreflow_calls_whose_string_cannot_be_taken_are_refused(statement):
    source = scoreflow(statement, "return str(tasks)") + "    async def other(self):\n        return ''\n"
    found = [item for item in check(source, {}).diagnostics if item.severity == "error"]
    assert {(item.code, item.line) for item in found} == {("missing-await", 11)}
    assert "the call of Custom" in found[0].message


def test_scoreflows_wrapper_that_delegates_is_dropped():
    source = (
        scoreflow("return self.problem")
        + "    async def __call__(self, problem):\n        return await self.run_workflow()\n"
    )
    assert entry(Workflow.parse(source, {}))[1] == ["return problem"]


def test_own_call_method_goes_before_run_workflow():
    source = scoreflow("return 'b'") + "    async def __call__(self, problem):\n        return 'a'\n"
    assert entry(Workflow.parse(source, {}))[1] == ["return 'a'"]


# --- constants ---------------------------------------------------------------------------------------------


CONSTANTS = """\
from prompt import ASK as QUESTION
LIMIT = 3
STYLES = ["plain", "short"]
class Workflow:
    marks = {"a": (1, -2)}
    def __init__(self, name, llm_config, dataset):
        self.styles = ["x", "y"]
        self.history = []
    async def __call__(self, problem):
"""


def constants(body):
    return check(CONSTANTS + "".join(f"        {line}\n" for line in body.split("\n")), {"ASK": "q"})


@pytest.mark.parametrize(
    ("expression", "canonical"),
    [
        ("range(LIMIT)", "range(3)"),
        ("STYLES[0]", "['plain', 'short'][0]"),
        ("[style for style in self.styles]", "[style for style in ['x', 'y']]"),
        ("self.marks['a']", "{'a': (1, -2)}['a']"),
        ("QUESTION + problem", "prompt_custom.ASK + problem"),
    ],
)
def test_constants_are_put_where_they_are_used(expression, canonical):
    report = constants(f"return str({expression})")
    assert report.ok, [str(item) for item in report.diagnostics]
    assert report.diagnostics == ()
    assert f"return str({canonical})" in report.workflow.source
    assert Workflow.parse(report.workflow.source, {"ASK": "q"}).program == report.workflow.program


def test_a_local_name_hides_a_constant():
    assert "return LIMIT" in constants("LIMIT = 'x'\nreturn LIMIT").workflow.source


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("self.styles.append('z')", "self.styles is a constant and cannot be changed"),
        ("STYLES.sort()", "STYLES is a constant and cannot be changed"),
        ("self.marks['b'] = 1", "self.marks is a constant and cannot be changed"),
        ("self.history.append(problem)", "self.history is no operator, method or constant"),
        ("self.count = 1", "self.count cannot be assigned: a workflow has no state but its local variables"),
    ],
)
def test_a_workflow_has_no_state_but_its_local_variables(statement, message):
    report = constants(f"{statement}\nreturn problem")
    assert [item.message for item in report.diagnostics if item.severity == "error"] == [
        next(item.message for item in report.diagnostics if message in item.message)
    ]
    assert [item.line for item in report.diagnostics] == [10]


@pytest.mark.parametrize(
    "statement",
    [
        "random.shuffle(self.styles)",
        "xs = self.styles",
        "xs = [self.styles]",
        "for x in (self.styles, problem): pass",
        "self.help(self.styles)",
    ],
)
def test_a_constant_is_not_handed_on_to_where_it_could_be_changed(statement):
    source = CONSTANTS + f"        {statement}\n        return problem\n    def help(self, xs):\n        xs.append(1)\n"
    (found,) = [item for item in check(source, {"ASK": "q"}).diagnostics if item.severity == "error"]
    assert (found.code, found.message.partition(" is a constant")[0]) == ("forbidden-attribute", "self.styles")
    assert "list(self.styles)" in found.remedy


@pytest.mark.parametrize(
    "statement",
    ["xs = list(self.styles)", "x = self.styles + [problem]", "r = await self.sc_ensemble(solutions=self.styles)"],
)
def test_a_constant_may_be_copied(statement):
    report = constants(f"{statement}\nreturn problem")
    assert report.ok, [str(item) for item in report.diagnostics]


@pytest.mark.parametrize(
    ("module", "init"),
    [
        ("", "self.n = 1 if name == 'debug' else 5"),
        ("", "self.n = 5\n        if dataset == 'MATH':\n            self.n = 1"),
        ("", "try:\n            self.n = 3\n        except Exception:\n            self.n = 4"),
        ("", "self.n = {'a': [1]}"),
        ("N = 3\nN += 2\n", "pass"),
        ("N = 3\nN = 2 * 4\n", "pass"),
        ("N = 5\nif True:\n    N = 6\n", "pass"),
        ("N = [1]\nN.append(2)\n", "pass"),
    ],
)
def test_what_is_set_twice_or_on_a_condition_is_no_constant(module, init):
    used = "N" if module else "self.n"
    source = (
        f"{module}class Workflow:\n    def __init__(self, name, llm_config, dataset):\n        {init}\n"
        f"    async def __call__(self, problem):\n        return str({used})\n"
    )
    assert {item.code for item in check(source).diagnostics} <= {"undefined-name", "undefined-attribute"}
    assert not check(source).ok


def test_constants_have_room_for_so_many_uses():
    body = "return str([" + "self.styles[0]," * 8_000 + "])"
    report = constants(body)
    assert "too-large" in {item.code for item in report.diagnostics}


@pytest.mark.parametrize(
    ("default", "ok"),
    [("LIMIT", True), ("None", True), ("[]", True), ("1 + 2", True), ("(1, 'a')", True)]
    + [
        (text, False)
        for text in ("nothing", "open('/etc/passwd')", "().__class__", "(y := 1)", "b'abc'", "self.custom")
    ],
)
def test_defaults_are_constants(default, ok):
    source = f"LIMIT = 3\nclass Workflow:\n    async def __call__(self, problem, n={default}):\n        return str(n)\n"
    report = check(source)
    assert report.ok is ok
    if not ok:
        assert "is no constant" in report.diagnostics[0].message


@pytest.mark.parametrize(
    ("expression", "canonical"),
    [
        ("max(set(xs), key=xs.count)", "max(set(xs), key=lambda item: xs.count(item))"),
        ("sorted(xs, key=str.lower)", "sorted(xs, key=lambda item: item.lower())"),
        ("list(map(str.strip, xs))", "list(map(lambda item: item.strip(), xs))"),
        ("sorted(xs, key=len)", "sorted(xs, key=len)"),
    ],
)
def test_methods_that_are_handed_on_become_lambdas(canonical_source, expression, canonical):
    assert f"return str({canonical})" in canonical_source(f"xs = ['b', 'a']\nreturn str({expression})")


@pytest.fixture
def canonical_source(check_body):
    def source(body):
        report = check_body(body)
        assert report.ok, [str(item) for item in report.diagnostics]
        assert Workflow.parse(report.workflow.source) == report.workflow
        return report.workflow.source

    return source


def test_all_texts_at_the_beginning_are_left_out(canonical_source):
    assert "'b'" not in canonical_source("'a'\n'b'\nreturn 'c'")
