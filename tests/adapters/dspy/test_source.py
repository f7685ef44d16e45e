"""The module that is written for a user to keep: it reads well, lints clean, and is the live program."""

import asyncio
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from programs import PROMPTS, workflows

from flowreasoner.errors import QueryError, WorkflowInvalid
from flowreasoner.workflow import Workflow

pytest.importorskip("dspy")
import dspy
from dspy.utils.exceptions import LMError
from scripted_lm import Script, scripted_lm

from flowreasoner_adapters.dspy import DSPyBackend

ENSEMBLE = """
class Workflow:
    async def __call__(self, problem, entry_point):
        solutions = []
        for _ in range(3):
            solution = await self.custom_code_generate(
                problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE)
            solutions.append(solution["response"])
        best = await self.sc_ensemble(solutions=solutions, problem=problem)
        return best["response"], self.llm.cost_manager.total_cost
"""


def written(source, prompts=None):
    return DSPyBackend().source(Workflow.parse(source, prompts or {}))["workflow.py"]


def loaded(text):
    namespace = {"__name__": "workflow"}
    exec(compile(text, "workflow.py", "exec", dont_inherit=True), namespace)
    return namespace["Workflow"]


def body(lines, prompts=None, members=""):
    indented = "\n".join(" " * 8 + line for line in lines)
    return written(f"class Workflow:\n    async def __call__(self, problem):\n{indented}\n{members}", prompts)


def test_it_reads_like_a_program_that_somebody_wrote():
    text = written(ENSEMBLE, {"WRITE": "Write the function.\nKeep it simple."})
    assert text.endswith('''\
WRITE = """Write the function.
Keep it simple."""


class Workflow(WorkflowModule):
    """The workflow, with a predictor per operator call."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.custom_code_generate_1 = OperatorPredict("CustomCodeGenerate", WRITE, inputs=["problem", "entry_point"])
        self.sc_ensemble_1 = OperatorPredict("ScEnsemble", inputs=["solutions", "problem"])

    @answering
    async def aforward(self, problem, entry_point):
        solutions = []
        custom_code_generate_1_results = await asyncio.gather(
            *[self.custom_code_generate_1.run(problem=problem, entry_point=entry_point) for _ in range(3)]
        )
        for solution in custom_code_generate_1_results:
            solutions.append(solution["response"])
        best = await self.sc_ensemble_1.run(solutions=solutions, problem=problem)
        return best["response"]
''')


def test_it_has_the_predictors_of_the_live_module():
    workflow = Workflow.parse(ENSEMBLE, {"WRITE": "Write."})
    live, exported = DSPyBackend().emit(workflow), loaded(DSPyBackend().source(workflow)["workflow.py"])()
    described = [
        [(name, one.signature.instructions, one.signature.dump_state()) for name, one in program.named_predictors()]
        for program in (live, exported)
    ]
    assert described[0] == described[1]
    assert [name for name, *_ in described[0]] == ["custom_code_generate_1", "sc_ensemble_1"]


@pytest.mark.parametrize("forward", ["call", "acall"])
def test_it_asks_the_lm_what_the_live_module_asks(using, forward):
    workflow = Workflow.parse(ENSEMBLE, {"WRITE": "Write."})
    answers = {"response": "def f(): return 1", "thought": "", "solution_letter": "A"}
    asked = []
    for program in (DSPyBackend().emit(workflow), loaded(DSPyBackend().source(workflow)["workflow.py"])()):
        script = Script(lambda _, field: answers[field])
        using(scripted_lm(script))
        if forward == "call":
            said = program(problem="p", entry_point="f")
        else:
            said = asyncio.run(program.acall(problem="p", entry_point="f"))
        assert said.answer == "def f(): return 1"
        asked.append(script.prompts)
    assert asked[0] == asked[1]
    assert len(asked[0]) == 3


def test_long_prompts_become_constants_and_short_ones_stay():
    long = "Think about every special case before you write anything."
    calls = [f"a = await self.custom(input=problem, instruction={word!r})" for word in (long, "Go.")]
    text = body([*calls, "return a['response']"])
    assert f'CUSTOM_1_PROMPT = "{long}"' in text
    assert 'OperatorPredict("Custom", CUSTOM_1_PROMPT, inputs=["input"])' in text
    assert 'OperatorPredict("Custom", "Go.", inputs=["input"])' in text


def test_prompts_that_the_workflow_rewrites_are_each_runs_own(using):
    text = body(
        [
            "a = await self.custom(input=problem, instruction=prompt_custom.SOLVE)",
            "prompt_custom.SOLVE = prompt_custom.SOLVE + ' Better.'",
            "b = await self.custom(input=a['response'], instruction=prompt_custom.SOLVE)",
            "return b['response']",
        ],
        {"SOLVE": "Solve."},
    )
    script = Script(lambda *_: "x")
    using(scripted_lm(script))
    program = loaded(text)()
    for _ in range(2):
        program(problem="p")
    assert ["Better." in prompt for prompt in script.prompts] == [False, True, False, True]


def test_names_that_the_module_needs_itself_are_free():
    members = "\n".join(
        [
            "    async def load(self, text):",
            "        made = await self.custom(input=text, instruction=prompt_custom.dspy)",
            "        return made['response']",
        ]
    )
    text = body(["Any = await self.load(problem)", "return Any"], {"dspy": "Go."}, members)
    program = loaded(text)()
    assert [name for name, _ in program.named_predictors()] == ["custom_1"]
    assert program.load.__func__ is dspy.Module.load


def test_the_workflows_handlers_let_pass_what_the_lm_raises(using):
    text = body(
        [
            "try:",
            "    a = await self.custom(input=problem, instruction='x')",
            "except Exception:",
            "    return 'caught'",
            "return a['response']",
        ]
    )

    def down(*_):
        raise LMError("the server is down")

    using(scripted_lm(Script(down)))
    with pytest.raises(LMError, match="the server is down"):
        loaded(text)()(problem="p")


def test_a_program_that_decides_by_its_cost_is_refused_with_line_and_remedy():
    lines = ["if self.llm.cost_manager.total_cost > 1:", "    return 'x'", "return problem"]
    for made in (DSPyBackend().source, DSPyBackend().emit):
        text = "class Workflow:\n    async def __call__(self, problem):\n" + "\n".join(" " * 8 + line for line in lines)
        with pytest.raises(WorkflowInvalid, match=r"line 3: .*spent.*; .*") as raised:
            made(Workflow.parse(text))
        assert raised.value.diagnostics[0].remedy


@pytest.mark.slow
def test_every_module_lints_clean(tmp_path):
    sources = [ENSEMBLE.replace("prompt_custom.WRITE", "'Write.'")]
    odd = "a = await self.custom(input=problem, instruction='x')\nl = a['response']\n"
    odd += "f = lambda q: q == None or q == True\n"
    odd += "unused = 1\ng = sorted([l], key=f)\nreturn str(g) + l + f'x'"
    sources.append(
        "class Workflow:\n    async def __call__(self, problem):\n"
        + "\n".join(" " * 8 + line for line in odd.split("\n"))
    )

    @settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=100)
    @given(workflows())
    def collect(source):
        sources.append(source)

    collect()
    for number, source in enumerate(sources):
        (tmp_path / f"workflow_{number}.py").write_text(written(source, PROMPTS))
    rules = ["--isolated", "--select", "E,F,I,W", "--line-length", "120"]
    ran = subprocess.run([sys.executable, "-m", "ruff", "check", *rules, tmp_path], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-3000:]


def test_inputs_without_a_problem_are_refused_as_by_the_live_module():
    written_program = loaded(body(["return problem"]))()
    with pytest.raises(QueryError, match="given only question"):
        written_program(question="q")
