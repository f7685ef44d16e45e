import ast

import pytest

from flowreasoner.workflow import Workflow

EVERYTHING = '''\
import re
LIMIT = "Stop after it."

class Workflow:
    def __init__(self, name, llm_config, dataset):
        self.llm = create_llm_instance(llm_config)
        self.ask = operator.Custom(self.llm)
        self.pick = operator.ScEnsemble(self.llm)

    async def draft(self, text, rounds=2, *, mark="'\\n\\""):
        r = await self.ask(input=text + mark * rounds, instruction=prompt_custom.LIMIT)
        return r["response"]

    def tidy(self, text="x"):
        if not text:
            return ""

        return re.sub(r"\\s+", " ", text)

    async def __call__(self, problem: str, test_cases=None):
        drafts = []
        for i in range(3):
            drafts.append(await self.draft(problem, mark="-"))
        best = await self.pick(drafts)
        try:
            text = f"""{best["response"]!r:>{len(drafts)}}
            {{literal}}"""
        except (ValueError, KeyError) as error:
            text = str(error)
        else:
            text = text or "none"
        finally:
            print(text)
        return self.tidy(text), self.llm.cost_manager.total_cost
'''

CANONICAL = """\
class Workflow:
    def __init__(self, name, llm_config, dataset):
        self.name = name
        self.dataset = dataset
        self.llm = create_llm_instance(llm_config)
        self.custom = operator.Custom(self.llm)

    async def __call__(self, problem: str, test_cases: list = None, rounds=2):
        import math
        import re
        x = math.sqrt(len(re.findall('a', problem))) + rounds
        return (await self.custom(input=str(x), instruction='i'))['response']
"""


def test_canonical_source_is_aflows_format():
    workflow = Workflow.parse(
        "import re, math\n"
        "async def __call__(self, problem, test_cases=None, rounds=2):\n"
        "    x = math.sqrt(len(re.findall('a', problem))) + rounds\n"
        "    return (await self.custom(str(x), 'i'))['response']\n",
        {},
    )
    assert workflow.source == CANONICAL


def test_canonical_source_is_its_own_canonical_form():
    assert Workflow.parse(CANONICAL, {}).source == CANONICAL
    assert Workflow.parse(CANONICAL, {}).repairs == ()


def test_printing_and_parsing_give_the_same_workflow():
    workflow = Workflow.parse(EVERYTHING)
    again = Workflow.parse(workflow.source, workflow.prompt_source)
    assert again == workflow
    assert again.source == workflow.source
    assert again.repairs == ()
    assert again.diagnostics == ()


def test_canonical_source_is_valid_python():
    assert compile(Workflow.parse(EVERYTHING).source, "workflow.py", "exec")


def test_helpers_keep_their_parameters_and_defaults():
    source = Workflow.parse(EVERYTHING).source
    assert "    async def draft(self, text, rounds=2, mark='\\'\\n\"'):\n" in source
    assert "    def tidy(self, text='x'):\n" in source


def test_imports_stand_only_in_the_methods_that_use_them():
    draft, tidy = (Workflow.parse(EVERYTHING).source.split(f"def {name}(")[1] for name in ("draft", "tidy"))
    assert "import re" not in draft.split("def ")[0]
    assert tidy.split("\n")[1].strip() == "import re"


def test_a_variable_named_like_a_module_is_not_imported():
    source = Workflow.parse("async def __call__(self, problem):\n    math = [problem]\n    return math.pop()\n").source
    assert "import" not in source


@pytest.mark.parametrize("text", ["a\nb", "\\", "'\"", "'''", '"""', "\t", "\x00", "\ud800", "é\u2028", "{x}", "#", ""])
def test_strings_are_printed_on_one_line_and_read_back_the_same(text):
    workflow = Workflow.parse(f"async def __call__(self, problem):\n    return problem + {text!r}\n")
    again = Workflow.parse(workflow.source)
    assert again == workflow
    constants = [node.value for node in ast.walk(again.program.entry.body[0]) if isinstance(node, ast.Constant)]
    assert constants == [text]


def test_workflows_differ_by_code_prompts_and_bindings():
    source = "async def __call__(self, problem):\n    return (await self.custom('a', 'b'))['response']\n"
    workflow = Workflow.parse(source, {"P": "p"})
    assert workflow == Workflow.parse(f"```\n{source}```", {"P": "p"})
    assert workflow != Workflow.parse(source, {"P": "q"})
    assert workflow != Workflow.parse(source.replace("'b'", "'c'"), {"P": "p"})
    assert workflow != Workflow.parse(
        source.replace("custom", "answer_generate").replace("('a', 'b')", "('a')").replace("response", "answer"),
        {"P": "p"},
    )


def test_methods_are_equal_by_their_code():
    one, other = (Workflow.parse(EVERYTHING).program.helpers["tidy"] for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one != Workflow.parse(EVERYTHING.replace('text="x"', 'text="y"')).program.helpers["tidy"]
    assert one.__eq__("tidy") is False


def test_call_sites_are_listed_in_source_order():
    sites = Workflow.parse(EVERYTHING).program.sites
    assert [(site.attribute, site.operator, site.line) for site in sites] == [
        ("pick", "ScEnsemble", 24),
        ("ask", "Custom", 11),
    ]
