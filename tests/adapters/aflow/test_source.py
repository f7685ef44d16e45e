"""The files of one round."""

import asyncio
import subprocess
import sys

import pytest

from flowreasoner.errors import FlowReasonerError, WorkflowInvalid
from flowreasoner.workflow import Workflow, check
from flowreasoner_adapters.aflow import AFlowBackend, round_source


def _parse(body, prompts=None, parameters="problem, entry_point"):
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    return Workflow.parse(f"class Workflow:\n    async def __call__(self, {parameters}):\n{lines}", prompts or {})


SIMPLE = "a = await self.custom(input=problem, instruction=prompt_custom.SOLVE)\nreturn a['response']"
PROMPTS = {"SOLVE": "Solve it: "}


@pytest.mark.parametrize("layout", ["portable", "metagpt", "aflow"])
@pytest.mark.parametrize("uses", ["aflow", "flowreasoner"])
def test_files_are_clean_python_that_reads_back(layout, uses):
    files = round_source(_parse(SIMPLE, PROMPTS), layout=layout, operators=uses, number=3)
    assert list(files) == ["graph.py", "prompt.py", "__init__.py"]
    report = check(files["graph.py"], files["prompt.py"])
    assert report.ok
    assert not report.diagnostics
    assert not report.repairs
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--no-cache",
        "--select",
        "E,F,W",
        "--line-length=120",
        "-",
    ]
    linted = subprocess.run(command, input=files["graph.py"], capture_output=True, text=True, check=False)
    assert "No module named ruff" in linted.stderr or linted.returncode == 0, linted.stdout


def test_layouts_name_data_set_and_round_where_their_repositories_do():
    workflow = _parse(SIMPLE, PROMPTS)
    portable, metagpt, aflow = (
        round_source(workflow, layout=layout, dataset="MBPP", number=7)["graph.py"]
        for layout in ("portable", "metagpt", "aflow")
    )
    assert "MBPP" not in portable
    assert "metagpt.ext.aflow.scripts.optimized.MBPP.workflows.round_7 import" in metagpt
    assert "self.llm.cost_manager = CostManager()" in metagpt
    assert "workspace.MBPP.workflows.round_7 import prompt as prompt_custom" in aflow
    assert "self.llm.get_usage_summary()['total_cost']" in aflow
    assert "cost_manager" not in aflow


def test_every_return_gives_answer_and_cost_and_nothing_twice():
    body = "if problem:\n    return problem, self.llm.cost_manager.total_cost\nreturn 'none'"
    graph = round_source(_parse(body))["graph.py"]
    assert graph.count("return (problem, self.llm.cost_manager.total_cost)") == 1
    assert graph.count("return ('none', self.llm.cost_manager.total_cost)") == 1


def test_graphs_are_called_with_the_problem_alone_or_with_an_entry_point():
    graph = round_source(_parse("return problem + entry_point"))["graph.py"]
    assert "async def __call__(self, problem: str, entry_point: str = ''):" in graph


REFUSED = [
    (
        "a = await self.custom(input=problem, instruction='', role='x')\nreturn a['response']",
        "aflow-argument",
        "'role'",
    ),
    (
        "a = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction='', context='')\n"
        "return a['response']",
        "aflow-argument",
        "'context'",
    ),
    (
        "a = await self.test(problem=problem, solution='', entry_point=entry_point, test_cases=['assert f() == 1'])\n"
        "return a['solution']",
        "aflow-argument",
        "'test_cases'",
    ),
    ("return problem, 1, 2", "aflow-return", "3 values"),
]


@pytest.mark.parametrize(("body", "code", "named"), REFUSED)
def test_what_aflow_cannot_express_is_refused_with_line_and_remedy(body, code, named):
    with pytest.raises(WorkflowInvalid) as caught:
        AFlowBackend().source(_parse(body))
    found = caught.value.diagnostics[0]
    assert found.code == code
    assert found.line >= 3
    assert named in found.message
    assert found.remedy


def test_what_only_flowreasoners_operators_take_is_written_with_them():
    files = AFlowBackend(uses="flowreasoner").source(_parse(REFUSED[0][0]))
    assert "from flowreasoner_adapters.aflow import operators as operator" in files["graph.py"]
    assert "role='x'" in files["graph.py"]


def test_unknown_choices_are_named():
    workflow = _parse(SIMPLE, PROMPTS)
    for wrong in ({"layout": "x"}, {"operators": "x"}, {"dataset": "Human Eval", "layout": "aflow"}):
        with pytest.raises(FlowReasonerError, match=r"x|Human Eval"):
            round_source(workflow, **wrong)


def test_a_portable_file_may_be_for_a_data_set_of_any_name():
    assert "my-data" not in round_source(_parse(SIMPLE, PROMPTS), dataset="my-data")["graph.py"]


REWRITES = """\
first = await self.custom(input=problem, instruction=prompt_custom.SOLVE)
prompt_custom.SOLVE = prompt_custom.SOLVE + problem
second = await self.custom(input=problem, instruction=prompt_custom.SOLVE)
return first['response'] + second['response']"""


async def test_calls_at_the_same_time_do_not_share_a_rewritten_prompt():
    pytest.importorskip("metagpt")
    from aflow_runs import llm_config, written_graph

    from flowreasoner_adapters.aflow import install, operators_use

    async def echo(operator, inputs):
        await asyncio.sleep(0.01)
        return {"response": f"<{inputs['instruction']}>"}

    install()
    with written_graph(round_source(_parse(REWRITES, PROMPTS)), llm_config()) as graph, operators_use(perform=echo):
        answers = await asyncio.gather(*(graph(letter) for letter in "abc"), graph("d"))
        answers.append(await graph("e"))
    assert [answer for answer, _ in answers] == [f"<Solve it: ><Solve it: {letter}>" for letter in "abcde"]


async def test_a_prompt_that_helpers_rewrite_is_as_it_was_in_the_next_call():
    pytest.importorskip("metagpt")
    from aflow_runs import llm_config, written_graph

    from flowreasoner_adapters.aflow import install, operators_use

    source = """class Workflow:
    async def ask(self, text):
        prompt_custom.SOLVE = prompt_custom.SOLVE + text
        a = await self.custom(input=text, instruction=prompt_custom.SOLVE)
        return a['response']

    async def __call__(self, problem):
        return await self.ask(problem)
"""

    async def echo(operator, inputs):
        return {"response": inputs["instruction"]}

    install()
    workflow = Workflow.parse(source, PROMPTS)
    with written_graph(round_source(workflow), llm_config()) as graph, operators_use(perform=echo):
        assert [(await graph(letter))[0] for letter in "ab"] == ["Solve it: a", "Solve it: b"]
