"""The table of bad input: one clear line, the right exit code, nothing lost, never a traceback."""

import json
from pathlib import Path

import pytest
from agents import one_call
from chat_server import ChatServer, Fault
from cli import SIMULATED, invoke

from flowreasoner.store import Store

WORKFLOW = str(Path(__file__).parents[3] / "examples" / "workflows" / "ensemble_and_test.py")
GOOD = {
    "problem": "Write add(a, b).",
    "entry_point": "add",
    "tests": {"feedback": ["assert add(1, 2) == 3"]},
    "reference": "def add(a, b):\n    return a + b",
}


def _file(tmp_path, name="q.json", **changes):
    file = tmp_path / name
    file.write_text(json.dumps({**GOOD, **changes}))
    return file


def _line(result):
    """Returns the one error line, after any progress."""
    lines = result.stderr.strip().splitlines()
    assert lines, result.output
    assert lines[-1].startswith(("error: ", "Error: "))
    assert sum(line.lower().startswith("error:") for line in lines) == 1
    assert "Traceback" not in result.output
    return lines[-1]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["solve", "absent.json"], 2, "there is no file 'absent.json'"),
        (["solve"], 2, "give a QUERY: a file, benchmark:task, or the problem as text; or --random, or --res"),
        (["solve", " "], 2, "the query is empty"),
        (["solve", "demo:nope"], 2, "demo has no task 'nope'; it has balanced-tags"),
        (["solve", "demo:spiral-wlk"], 2, "did you mean 'spiral-walk'?"),
        (["solve", "humanevil:0"], 2, "there is no benchmark 'humanevil'"),
        (["solve", "humaneval:0"], 2, "humaneval cannot be loaded from the hub"),
        (["solve", "humaneval:0", "--data", "nowhere.jsonl"], 2, "cannot read benchmark data from 'nowhere.jsonl'"),
        (["solve", *SIMULATED, "demo:spiral-walk", "--worker", "gpt-4o"], 2, "'gpt-4o' is no model URI"),
        (["solve", *SIMULATED, "demo:spiral-walk", "--worker", "gpt:4o"], 2, "there is no model scheme 'gpt'"),
        (
            ["solve", *SIMULATED, "demo:spiral-walk", "--worker", "openai:gpt-4o"],
            2,
            "no API key for openai:gpt-4o: set the",
        ),
        (
            ["solve", *SIMULATED, "demo:spiral-walk", "--meta-agent", "openai:o4-mini"],
            2,
            "set the environment variable OPENAI_API_",
        ),
        (
            ["solve", *SIMULATED, "demo:spiral-walk", "--designer", "magic"],
            2,
            "there is no designer 'magic'; known are aflow-seed, autoagents, cot, flowreasoner",
        ),
        (
            ["solve", *SIMULATED, "demo:spiral-walk", "--metric", "taste"],
            2,
            "there is no metric 'taste'; known are none",
        ),
        (
            ["solve", *SIMULATED, "demo:spiral-walk", "--sandbox", "cage"],
            2,
            "there is no sandbox tier 'cage'; there are best",
        ),
        (["solve", "demo:spiral-walk", "--budget-usd", "0"], 2, "--budget-usd must be above 0, got 0; leave it out"),
        (["solve", "demo:spiral-walk", "--budget-usd", "-1"], 2, "--budget-usd must be above 0, got -1"),
        (
            ["solve", *SIMULATED, "demo:spiral-walk", "--worker", "sim:?answers=no.jsonl"],
            2,
            "cannot read recorded answers from 'no",
        ),
        (["solve", "Write a function."], 2, "the embedded models cannot do this query: "),
        (["solve", "demo:spiral-walk"], 2, "See one of those with: flowreasoner solve --random"),
        (["solve", "demo:spiral-walk", "--worker", "sim:"], 2, "--meta-agent openai:o4-mini"),
        (["run", WORKFLOW, "demo:spiral-walk"], 2, "the embedded models cannot do this query: "),
        (["solve", "--depth", "2", "demo:spiral-walk"], 2, "--depth is for --random"),
        (["solve", "--random", "1", "demo:spiral-walk"], 2, "leave it out, or the query 'demo:spiral-walk'"),
        (["solve", "miniature:999"], 2, "miniature has no task '999'"),
        (["solve", *SIMULATED, "Write a function."], 3, "the simulated worker knows no solution for this query"),
        (["run", "absent.py", "demo:spiral-walk"], 2, "cannot read 'absent.py': No such file"),
        (["export", "absent.py"], 2, "cannot read 'absent.py'"),
        (["export", "absent.py", "--to", "word"], 2, "there is no backend 'word'; known are"),
        (["grade", "absent.py", "--query", "demo:spiral-walk"], 2, "cannot read 'absent.py': No such file"),
        (["grade", ".", "--query", "demo:spiral-walk"], 2, "cannot read '.': Is a directory"),
        (["grade", "/dev/null", "--query", "Write f(x)."], 2, "has no tests to grade by; give tests, or --check"),
        (["grade", "/dev/null", "--query", "demo:spiral-walk", "--check", "no-such-tool"], 3, "cannot start the check"),
        (
            ["grade", "/dev/null", "--query", "demo:spiral-walk", "--sandbox", "cage"],
            2,
            "there is no sandbox tier 'cage'",
        ),
        (["check", "absent.py"], 2, "there is no file or folder 'absent.py'"),
        (["runs", "show", "nope"], 2, "no run matches 'nope'"),
        (["solve", "--resume", "nope"], 2, "no run matches 'nope'"),
        (["solve", "."], 2, "'.' is no query: give a query file (.json, .yaml), benchmark:task, or a problem in words"),
        (["solve", "/tmp"], 2, "'/tmp' is no query"),
        (["solve", "demo"], 2, "give a task of demo, one of: balanced-tags, check-digit"),
        (["solve", "demo:"], 2, "give a task of demo, one of: balanced-tags"),
        (["solve", "Write f(x).", "--data", "x"], 2, "--data 'x' is a benchmark's file, but the query is no"),
        (
            ["solve", *SIMULATED, "Write load(text) that parses settings.json"],
            3,
            "the simulated worker knows no solution",
        ),
        (["solve", *SIMULATED, "a " * 5_000 + ".json"], 3, "the simulated worker knows no solution"),
        (["solve", "Write f \udcff"], 2, "holds bytes or characters that are no text"),
        (["export", "."], 2, "cannot read '.': Is a directory"),
        (["run", ".", "demo:spiral-walk"], 2, "cannot read '.': Is a directory"),
    ],
)
def test_one_clear_line(args, code, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke(*args)
    assert (message in _line(result), result.exit_code) == (True, code), result.output


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["solve", "demo:spiral-walk", "--rounds", "0"], "0 is not in the range x>=1"),
        (["solve", "demo:spiral-walk", "--rounds", "many"], "'many' is not a valid integer"),
        (["solve", "demo:spiral-walk", "--fail-under", "2"], "2.0 is not in the range 0<=x<=1"),
        (["solve", "demo:spiral-walk", "--max-calls", "0"], "0 is not in the range x>=1"),
        (["solve", "demo:spiral-walk", "--tests", "some"], "'some' is not one of 'public', 'split', 'all'"),
        (["solve", "--bananas"], "No such option"),
        (["fly"], "No such command 'fly'"),
    ],
)
def test_wrong_usage_is_one_line_too(args, message):
    result = invoke(*args)
    assert result.exit_code == 2
    assert message in _line(result)
    assert "--help` shows how" in _line(result)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tests": {"feedback": ["assert add("]}}, "test 1 does not parse: '(' was never closed"),
        ({"tests": {"feedback": ["add(1, 2)"]}}, "test 1 has no assert statement"),
        ({"tests": {"feedback": {"format": "chck", "source": "x"}}}, "tests.feedback: Input tag 'chck'"),
        ({"problem": None}, "problem: Input should be a valid string, got None"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
    ],
)
def test_a_query_file_that_cannot_be_used(changes, message, tmp_path):
    file = _file(tmp_path, **changes)
    result = invoke("solve", *SIMULATED, file)
    assert result.exit_code == 2
    line = _line(result)
    assert message in line
    assert str(file) in line


def test_a_query_file_that_is_no_json(tmp_path):
    file = tmp_path / "q.json"
    file.write_text("{problem: 1}")
    result = invoke("solve", *SIMULATED, file)
    assert (result.exit_code, "q.json is not valid JSON" in _line(result)) == (2, True)


def test_an_entry_point_that_is_absent_is_a_score_and_named_in_the_feedback(tmp_path):
    file = _file(tmp_path, entry_point="subtract")
    result = invoke("solve", *SIMULATED, file, "--rounds", 1, "--json", "-q", "--worker", "sim:?skill=1")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["score"] == 0.0
    run = json.loads(result.stdout)["run"]
    shown = json.loads(invoke("runs", "show", run, "--json").stdout)
    tests = shown["rounds"][0]["feedback"]["evaluations"][0]["tests"]
    assert tests[0]["detail"] == "the program does not define 'subtract'"


def test_no_tests_and_no_way_to_get_them(tmp_path):
    file = tmp_path / "q.yaml"
    file.write_text("problem: Say something nice.\nreference: hello\n")
    result = invoke("solve", *SIMULATED, file)
    assert result.exit_code == 2
    assert "the query has no tests, and the worker wrote none that can be used; give tests" in _line(result)


def test_an_unknown_operator_in_a_workflow_file(tmp_path):
    file = tmp_path / "graph.py"
    file.write_text("class Workflow:\n    async def __call__(self, problem):\n        return await self.solver(x=1)\n")
    result = invoke("run", file, "demo:spiral-walk", "--worker", "sim:")
    assert result.exit_code == 2
    assert "line 3: self.solver is neither an operator nor a method" in _line(result)
    exported = invoke("export", file)
    assert exported.exit_code == 1
    assert "self.solver is neither an operator" in _line(exported)


def _agent(body):
    return one_call() if body["messages"][0]["role"] == "system" else "```python\ndef add(a, b):\n    return 0\n```"


def _models(server, retries=0):
    model = f"openai:test?base_url={server.url}&retries={retries}"
    return ("--meta-agent", model, "--worker", model)


def test_a_wrong_key(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong-key-123456")
    with ChatServer(_agent, key="right") as server:
        result = invoke("solve", _file(tmp_path), *_models(server))
    assert result.exit_code == 3
    line = _line(result)
    assert "refused the API key (HTTP 401)" in line
    assert "go on with: flowreasoner solve --resume" in line
    assert "sk-wrong-key-123456" not in result.output


def test_a_worker_that_always_fails_loses_nothing(tmp_path):
    file = _file(tmp_path)
    with ChatServer(_agent, faults={index: Fault(status=500) for index in range(1, 50)}) as server:
        result = invoke("solve", file, *_models(server), "--rounds", 2)
        assert result.exit_code == 3
        assert "failed (HTTP 500)" in _line(result)
        server.faults.clear()
        server.requests.clear()
        resumed = invoke("solve", "--resume", "--json", "-q")
        assert resumed.exit_code == 0
        # The meta-agent's reply was kept: only the other round asks it again.
        asked = [body for body in server.requests if body["messages"][0]["role"] == "system"]
        assert len(asked) == 1


def test_a_server_that_is_not_there(tmp_path):
    model = "openai:test?base_url=http://127.0.0.1:9/v1&retries=0"
    result = invoke("solve", _file(tmp_path), "--worker", model, "--meta-agent", model)
    assert result.exit_code == 3
    assert "cannot reach openai:test" in _line(result)


def test_a_budget_with_a_model_of_unknown_price(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    result = invoke("solve", _file(tmp_path), *SIMULATED, "--worker", "openai:my-own-model", "--budget-usd", 1)
    assert result.exit_code == 2
    assert "the price of openai:my-own-model is not known, so --budget-usd cannot hold; add ?price=IN,OUT" in _line(
        result
    )


def test_a_budget_that_is_too_small(tmp_path):
    with ChatServer(_agent) as server:
        model = f"openai:test?base_url={server.url}&price=1000,1000"
        args = ("solve", _file(tmp_path), "--meta-agent", model, "--worker", model)
        result = invoke(*args, "--budget-usd", 0.01)
    assert result.exit_code == 3
    assert "budget exceeded: usd" in _line(result)


def test_a_damaged_store(tmp_path, monkeypatch):
    file = tmp_path / "store.sqlite"
    file.write_text("nonsense " * 100)
    monkeypatch.setenv("FLOWREASONER_STORE", str(file))
    for args in (["solve", "demo:spiral-walk"], ["runs", "list"], ["run", "x.py", "demo:spiral-walk"]):
        result = invoke(*args)
        if args[0] != "run":
            assert result.exit_code == 3
            assert "the file is damaged or no store; move it away, or pass --store" in _line(result)
    assert file.read_text() == "nonsense " * 100


def test_a_full_disk_is_reported_and_the_run_can_go_on(tmp_path, monkeypatch):
    path = tmp_path / "store.sqlite"
    original = Store.__init__

    def cramped(self, place):
        original(self, place)
        pages = self._db.execute("PRAGMA page_count").fetchone()[0]
        self._db.execute(f"PRAGMA max_page_count = {pages + 3}")

    monkeypatch.setattr(Store, "__init__", cramped)
    result = invoke("solve", *SIMULATED, "demo:stair-ways", "--store", path)
    assert result.exit_code == 3
    assert "disk is full; free some space and resume; everything finished so far is saved" in _line(result)
    monkeypatch.setattr(Store, "__init__", original)
    resumed = invoke("solve", "--resume", "--store", path, "--json", "-q")
    assert resumed.exit_code == 0
    assert json.loads(resumed.stdout)["cached_calls"] > 0


def test_a_broken_plugin_does_not_stop_a_command(monkeypatch):
    from importlib import metadata

    broken = metadata.EntryPoint("bad", "no_such_module_anywhere", "flowreasoner")
    real = metadata.entry_points

    def points(**kwargs):
        return [*real(**kwargs), broken]

    monkeypatch.setattr("flowreasoner_plugins.manager.metadata.entry_points", points)
    result = invoke("solve", *SIMULATED, "demo:spiral-walk", "--json", "-q")
    assert result.exit_code == 0
    assert "warning: the plugin 'bad'" in result.stderr
    assert "No module named 'no_such_module_anywhere'" in result.stderr
