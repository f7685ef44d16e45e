import pytest

from flowreasoner.operators import BUILTIN
from flowreasoner.workflow import Workflow, check
from flowreasoner.workflow.structure import find_structure
from flowreasoner.workflow.text import read_module

CALL = "await self.custom(input=problem, instruction='i')"
RETURN = f"        return ({CALL})['response']\n"


def structure(source):
    return find_structure(read_module(source).tree, BUILTIN)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("problem", ("problem",)),
        ("problem: str", ("problem",)),
        ("problem: str, entry_point: str", ("problem", "entry_point")),
        ("problem, entry_point, test_cases", ("problem", "entry_point", "test_cases")),
        ("problem, test_cases: list", ("problem", "test_cases")),
        ("problem, rounds=3", ("problem", "rounds")),
        ("problem, *, rounds=3", ("problem", "rounds")),
    ],
)
def test_entry_methods_of_aflow_are_accepted(parameters, expected):
    report = check(f"class Workflow:\n    async def __call__(self, {parameters}):\n{RETURN}", {})
    assert report.repairs == ()
    assert report.workflow.program.entry.parameters == expected


def test_aflow_graph_file_is_accepted_as_it_is():
    source = (
        "from typing import Literal\n"
        "import metagpt.ext.aflow.scripts.optimized.MBPP.workflows.template.operator as operator\n"
        "import metagpt.ext.aflow.scripts.optimized.MBPP.workflows.round_1.prompt as prompt_custom\n"
        "from metagpt.provider.llm_provider_registry import create_llm_instance\n"
        "from metagpt.utils.cost_manager import CostManager\n"
        "DatasetType = Literal['MBPP']\n"
        "class Workflow:\n"
        "    def __init__(self, name: str, llm_config, dataset: DatasetType) -> None:\n"
        "        self.name = name\n"
        "        self.dataset = dataset\n"
        "        self.llm = create_llm_instance(llm_config)\n"
        "        self.llm.cost_manager = CostManager()\n"
        "        self.custom = operator.Custom(self.llm)\n"
        "        self.code = operator.CustomCodeGenerate(self.llm)\n"
        "    async def __call__(self, problem: str, entry_point: str):\n"
        "        '''Solve it.'''\n"
        "        s = await self.code(problem=problem, entry_point=entry_point, instruction=prompt_custom.P)\n"
        "        return s['response'], self.llm.cost_manager.total_cost\n"
    )
    report = check(source, {"P": "p"})
    assert report.diagnostics == ()
    assert report.repairs == ()
    assert report.workflow.program.bindings == {"code": "CustomCodeGenerate"}


@pytest.mark.parametrize(
    "header", ["import workspace.MBPP.operator as operator", "from . import operator", "import aflow.operators as ops"]
)
def test_operator_module_may_have_any_path(header):
    name = header.split()[-1]
    source = (
        f"{header}\nclass Workflow:\n    def __init__(self):\n        self.ask = {name}.Custom(1)\n"
        f"    async def __call__(self, problem):\n"
        f"        return (await self.ask(input='', instruction=''))['response']\n"
    )
    found = structure(source)
    if name == "ops":
        assert found.bindings == {}
    else:
        assert found.bindings == {"ask": "Custom"}


def test_prompt_module_may_have_another_name():
    source = (
        "from x.y import prompt as texts\nclass Workflow:\n"
        "    async def __call__(self, problem):\n        return texts.P\n"
    )
    assert "return prompt_custom.P" in Workflow.parse(source, {"P": "p"}).source


@pytest.mark.parametrize("name", ["Workflow", "Solver", "MyFlow"])
def test_class_is_found_by_its_name_or_its_entry_method(name):
    source = (
        f"class Config:\n    size = 3\n\nclass {name}:\n    async def __call__(self, problem):\n"
        f"        return problem\n"
    )
    assert check(source).ok


def test_class_named_workflow_comes_first():
    source = (
        "class Other:\n    async def __call__(self, problem):\n        return 'other'\n"
        "class Workflow:\n    async def __call__(self, problem):\n        return 'workflow'\n"
    )
    assert "return 'workflow'" in check(source).workflow.source


def test_bare_method_is_wrapped():
    report = check(f"async def __call__(self, problem):\n{RETURN}", {})
    assert report.repairs == ("a bare method wrapped in a class Workflow",)
    assert report.workflow.program.bindings == {"custom": "Custom"}


def test_plain_def_is_made_async():
    report = check(f"class Workflow:\n    def __call__(self, problem):\n{RETURN}", {})
    assert report.repairs == ("__call__ made async",)
    assert report.workflow.program.entry.is_async


def test_dunders_lost_to_markdown_are_restored():
    source = (
        f"class Workflow:\n    def init(self, llm):\n        self.custom = operator.Custom(llm)\n"
        f"    async def call(self, problem):\n{RETURN}"
    )
    report = check(source, {})
    assert report.repairs == (
        "the method 'init' renamed to '__init__'",
        "the method 'call' renamed to '__call__'",
    )
    assert report.ok


@pytest.mark.parametrize("name", ["op", "observe", "trace", "traceable", "weave.op", "langsmith.traceable"])
@pytest.mark.parametrize("arguments", ["", "(name='x')"])
def test_tracing_decorators_are_removed(name, arguments):
    report = check(
        f"class Workflow:\n    @{name}{arguments}\n    async def __call__(self, problem):\n        return problem\n"
    )
    assert report.repairs == (f"the tracing decorator @{name} removed",)
    assert report.diagnostics == ()


def test_constants_of_the_class_and_of_init_are_put_in_place():
    source = (
        "class Workflow:\n    rounds = 2\n    def __init__(self, llm):\n        self.limit = 5\n"
        "    async def __call__(self, problem):\n        return problem[:self.limit] * self.rounds\n"
    )
    assert "return problem[:5] * 2" in check(source).workflow.source


def test_constants_cannot_be_changed():
    source = (
        "class Workflow:\n    rounds = 2\n    async def __call__(self, problem):\n"
        "        self.rounds = 3\n        return problem\n"
    )
    (found,) = check(source).diagnostics
    assert (found.code, found.line) == ("undefined-attribute", 4)


def test_module_level_functions_become_helper_methods():
    source = (
        "def tidy(text):\n    return text.strip()\n\nclass Workflow:\n"
        "    async def __call__(self, problem):\n        return tidy(problem)\n"
    )
    workflow = check(source).workflow
    assert "return self.tidy(problem)" in workflow.source
    assert workflow.program.helpers["tidy"].parameters == ("text",)


def test_static_methods_lose_their_decorator():
    source = (
        "class Workflow:\n    @staticmethod\n    def tidy(text):\n        return text.strip()\n"
        "    async def __call__(self, problem):\n        return self.tidy(problem)\n"
    )
    report = check(source)
    assert report.workflow.program.helpers["tidy"].parameters == ("text",)
    assert "staticmethod" not in report.workflow.source


def test_string_constants_of_the_module_become_prompts():
    source = (
        "ROLE = 'You are ' + 'kind.'\nclass Workflow:\n    async def __call__(self, problem):\n        return ROLE\n"
    )
    report = check(source)
    assert report.workflow.prompts == {"ROLE": "You are kind."}
    assert report.repairs == ("ROLE written as prompt_custom.ROLE",)


def test_given_prompts_go_before_those_of_the_module():
    source = "P = 'module'\nclass Workflow:\n    async def __call__(self, problem):\n        return prompt_custom.P\n"
    assert check(source, {"P": "given"}).workflow.prompts == {"P": "given"}


@pytest.mark.parametrize("value", ["operator.Custom(llm)", "operator.Custom(llm) if llm else None", "Custom(llm)"])
def test_operators_may_be_bound_in_several_spellings(value):
    assert structure(
        f"class Workflow:\n    def __init__(self, llm):\n        self.ask = {value}\n"
        f"    async def __call__(self, problem):\n        return ''\n"
    ).bindings == {"ask": "Custom"}


def test_other_frameworks_name_of_an_operator_is_known():
    found = structure(
        "class Workflow:\n    def __init__(self):\n        self.e = operator.QAScEnsemble(1)\n"
        "    async def __call__(self, problem):\n        return ''\n"
    )
    assert found.bindings == {"e": "ScEnsemble"}


def test_last_of_two_methods_of_the_same_name_counts():
    source = (
        "class Workflow:\n    async def __call__(self, problem):\n        return 'first'\n"
        "    async def __call__(self, problem):\n        return 'second'\n"
    )
    assert "'second'" in check(source).workflow.source


def test_docstrings_and_annotations_in_the_class_are_left_out():
    report = check(
        "class Workflow:\n    '''A flow.'''\n    size: int\n    pass\n"
        "    async def __call__(self, problem):\n        return problem\n"
    )
    assert report.ok
    assert "A flow" not in report.workflow.source
