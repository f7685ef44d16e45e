"""Workflows as boxes and lines."""

from reports import GRAPH

from flowreasoner.operators import BUILTIN
from flowreasoner.workflow import Workflow
from flowreasoner_plugins.report.drawing import END, START, drawing


def drawn(source):
    made = drawing(Workflow.parse(source, "WRITE = ''").program, BUILTIN)
    edges = {(edge["from"], edge["to"]): edge["kind"] for edge in made["edges"]}
    return {node["name"]: node for node in made["nodes"]}, edges


def workflow(*lines):
    body = "".join(f"        {line}\n" for line in lines)
    return f"class Workflow:\n    async def __call__(self, problem, entry_point):\n{body}"


def test_a_box_for_each_call_site_and_dashed_lines_where_a_test_decides():
    nodes, edges = drawn(GRAPH)
    assert {name: (node["operator"], node["line"]) for name, node in nodes.items()} == {
        "custom_code_generate_1": ("CustomCodeGenerate", 3),
        "review_1": ("Review", 5),
    }
    assert edges[START, "custom_code_generate_1"] == "then"
    assert edges["review_1", "review_1"] == edges["review_1", END] == "maybe"


def test_calls_beside_each_other_are_marked_and_lead_to_what_collects_them():
    nodes, edges = drawn(
        workflow(
            "made = []",
            "for _ in range(3):",
            "    s = await self.custom(input=problem, instruction='')",
            "    made.append(s['response'])",
            "best = await self.sc_ensemble(solutions=made, problem=problem)",
            "return best['response']",
        )
    )
    assert (nodes["custom_1"]["beside"], nodes["sc_ensemble_1"]["beside"]) == (True, False)
    assert edges == {(START, "custom_1"): "then", ("custom_1", "sc_ensemble_1"): "then", ("sc_ensemble_1", END): "then"}


def test_the_calls_of_a_helper_that_runs_several_times_at_once_are_boxes_too():
    nodes, edges = drawn(
        workflow(
            "made = []",
            "for _ in range(3):",
            "    plan = await self.custom(input=problem, instruction='')",
            "    s = await self.custom(input=plan['response'], instruction='')",
            "    made.append(s['response'])",
            "best = await self.sc_ensemble(solutions=made, problem=problem)",
            "return best['response']",
        )
    )
    assert nodes["custom_1"]["beside"]
    assert nodes["custom_2"]["beside"]
    assert list(edges) == [
        (START, "custom_1"),
        ("custom_1", "custom_2"),
        ("custom_2", "sc_ensemble_1"),
        ("sc_ensemble_1", END),
    ]


def test_where_an_error_leads_is_a_line_of_its_own_kind():
    _, edges = drawn(
        workflow(
            "try:",
            "    s = await self.custom(input=problem, instruction='')",
            "except Exception:",
            "    s = await self.custom(input=problem, instruction='again')",
            "return s['response']",
        )
    )
    assert edges["custom_1", "custom_2"] == "error"


def test_a_workflow_without_calls_leads_from_the_query_to_the_answer():
    assert drawn(workflow("return problem")) == ({}, {(START, END): "then"})
