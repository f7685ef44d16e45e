"""Reads what was published, whole or broken, without running it."""

import json

import pytest

from flowreasoner.errors import QueryError
from flowreasoner.operators import BUILTIN
from flowreasoner.workflow import Workflow
from flowreasoner_adapters.aflow import read_round, read_workspace, write_round, write_template
from flowreasoner_adapters.aflow.reading import Experience, Result
from flowreasoner_adapters.aflow.workspace import write_evaluation, write_json

WORKFLOW = Workflow.parse(
    """class Workflow:
    async def __call__(self, problem):
        a = await self.custom(input=problem, instruction=prompt_custom.SOLVE)
        return a['response']
""",
    {"SOLVE": "Solve: "},
)


@pytest.fixture
def workspace(tmp_path):
    """A workspace of two rounds, as AFlow leaves it."""
    folder = tmp_path / "workspace" / "GSM8K" / "workflows"
    write_template(folder / "template", [BUILTIN["Custom"], BUILTIN["Test"]])
    for number in (1, 2):
        write_round(folder / f"round_{number}", WORKFLOW, number=number, dataset="GSM8K")
    rows = [('a, "b"\nc', "1", "2", 0.0, 0.25), ("d", "3", "3", 1.0, 0.5)]
    write_evaluation(folder / "round_1", ["question", "prediction", "expected_output", "score", "cost"], rows, 0.5)
    write_json(folder / "round_2" / "experience.json", Experience(1, "sample", 0.5, 0.75, True).to_json())
    write_json(folder / "round_1" / "log.json", [{"question": "a", "right_answer": "2", "model_output": "1"}])
    results = [Result(1, 0.5, 0.1, 0.2, "2024-10-01 10:00:00"), Result(1, 0.7), Result(2, 0.75)]
    write_json(folder / "results.json", [row.to_json() for row in results])
    summary = {1: {"score": 0.5, "success": {2: {"modification": "sample", "score": 0.75}}, "failure": {}}}
    write_json(folder / "processed_experience.json", summary)
    return folder


def test_a_whole_workspace_is_read(workspace):
    space = read_workspace(workspace.parent)
    assert space.problems == ()
    assert [item.number for item in space.rounds] == [1, 2]
    assert all(item.workflow is not None and item.workflow.prompts == {"SOLVE": "Solve: "} for item in space.rounds)
    assert space.scores == {1: pytest.approx(0.6), 2: 0.75}
    assert space.best is space.rounds[1]
    assert space.results[0] == Result(1, 0.5, 0.1, 0.2, "2024-10-01 10:00:00")
    assert space.rounds[1].experience == Experience(1, "sample", 0.5, 0.75, True)
    assert space.rounds[0].log[0]["right_answer"] == "2"
    table = space.rounds[0].evaluations[0]
    assert table.score == 0.5
    assert table.rows[0] == {
        "question": 'a, "b"\nc',
        "prediction": "1",
        "expected_output": "2",
        "score": "0.0",
        "cost": "0.25",
    }
    assert space.processed_experience[1]["success"]["2"]["modification"] == "sample"
    assert space.operators["Test"]["interface"].startswith("test(problem: str, solution: str, entry_point: str")
    assert "test_cases" not in space.operators["Test"]["interface"]


BROKEN = [
    ("results.json", "{", "results.json is no JSON"),
    ("results.json", '{"round": 1}', "without a round and a score"),
    ("results.json", '[1, {"round": "x", "score": 1}]', "1 entries that are no objects"),
    ("results.json", "[" * 100_000, "results.json is no JSON"),
    ("processed_experience.json", '{"one": 1}', "belong to no round"),
    ("processed_experience.json", "[]", "is no object but a list"),
    ("template/operator.json", "nonsense", "operator.json is no JSON"),
    ("round_1/log.json", '"text"', "log.json is no list but a str"),
    ("round_2/experience.json", '{"modification": "x"}', "experience.json lacks something"),
    ("round_1/wrong.csv", "a,b\n", "wrong.csv is not named"),
    ("round_1/0.5_20240101_000000.csv", 'a,b\n"' + "x" * 200_000 + '",2\n', "is no CSV"),
]


@pytest.mark.parametrize(("name", "text", "said"), BROKEN)
def test_what_is_broken_is_reported_and_the_rest_is_read(workspace, name, text, said):
    (workspace / name).write_text(text)
    space = read_workspace(workspace)
    assert any(said in problem for problem in space.problems), space.problems
    assert [item.workflow is not None for item in space.rounds] == [True, True]


def test_missing_and_undecodable_files_are_reported(workspace):
    (workspace / "round_1" / "graph.py").unlink()
    (workspace / "round_2" / "prompt.py").write_bytes(b"SOLVE = '\xff\xfe'\n")
    (workspace / "round_3").mkdir()
    (workspace / "round_4").write_text("a file")
    space = read_workspace(workspace)
    assert [(item.number, item.workflow is not None) for item in space.rounds] == [(1, False), (2, True), (3, False)]
    assert "round_1: graph.py is missing" in space.problems
    assert space.best is space.rounds[1]


def test_nothing_is_executed(workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hostile = "import pathlib\npathlib.Path('pwned').touch()\n" + (workspace / "round_1" / "graph.py").read_text()
    (workspace / "round_1" / "graph.py").write_text(hostile)
    (workspace / "round_1" / "prompt.py").write_text("SOLVE = __import__('pathlib').Path('pwned').touch() or ''\n")
    (workspace / "round_1" / "__init__.py").write_text("open('pwned', 'w')\n")
    item = read_round(workspace / "round_1")
    assert item.diagnostics
    assert not (tmp_path / "pwned").exists()


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(QueryError, match="no workspace"):
        read_workspace(tmp_path / "none")
    with pytest.raises(QueryError, match="no round"):
        read_round(tmp_path / "none")


def test_a_published_round_in_aflows_own_words_is_read(tmp_path):
    json_name = tmp_path / "log.json"
    json_name.write_text(json.dumps({"question": "q"}))  # AFlow also writes one object without a list
    (tmp_path / "graph.py").write_text("""from typing import Literal
import workspace.GSM8K.workflows.template.operator as operator
import workspace.GSM8K.workflows.round_1.prompt as prompt_custom
from scripts.async_llm import create_llm_instance
from scripts.evaluator import DatasetType

class Workflow:
    def __init__(self, name: str, llm_config, dataset: DatasetType) -> None:
        self.name = name
        self.dataset = dataset
        self.llm = create_llm_instance(llm_config)
        self.custom = operator.Custom(self.llm)

    async def __call__(self, problem: str):
        solution = await self.custom(input=problem, instruction="")
        return solution['response'], self.llm.get_usage_summary()["total_cost"]""")
    item = read_round(tmp_path)
    assert item.workflow is not None
    assert item.log == ({"question": "q"},)
    assert item.number == 0
