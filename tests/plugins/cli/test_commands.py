import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli import SIMULATED, invoke, spawn
from sandboxes import best_tier

GRAPH = """class Workflow:
    def __init__(self, name, llm_config, dataset):
        self.custom = operator.Custom(self.llm)
    async def __call__(self, problem):
        a = await self.custom(input=problem, instruction=prompt_custom.ASK)
        return a['response'], self.llm.cost_manager.total_cost
"""
KEYS = {"path", "ok", "repaired", "diagnostics"}


@pytest.fixture
def workspace(tmp_path):
    for number, (graph, prompt) in enumerate(
        [(GRAPH, "ASK = 'x'"), (GRAPH, "OTHER = 'x'"), (f"```python\n{GRAPH}```", "ASK = 'x'")], 1
    ):
        folder = tmp_path / "ws" / f"round_{number}"
        folder.mkdir(parents=True)
        (folder / "graph.py").write_text(graph)
        (folder / "prompt.py").write_text(prompt)
        (folder / "experience.json").write_text("{}")
    return tmp_path / "ws"


# --- check ---


def test_check_prints_one_json_object_a_line(workspace):
    result = invoke("check", workspace, "--json")
    assert result.exit_code == 1
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["ok"] for row in rows] == [True, False, True]
    assert all(row.keys() == KEYS for row in rows)
    (finding,) = rows[1]["diagnostics"]
    assert finding == {
        "code": "undefined-prompt",
        "severity": "error",
        "line": 5,
        "column": 58,
        "message": "prompt_custom.ASK is not defined",
        "remedy": "add ASK to the prompts",
    }
    assert rows[2]["repaired"] == ["code fences and tags around the code removed"]
    assert rows[0]["path"].endswith("round_1/graph.py")


def test_check_ends_with_0_when_all_is_well(workspace):
    assert invoke("check", workspace / "round_1" / "graph.py").exit_code == 0


def test_check_fix_writes_canonical_source(workspace):
    file = workspace / "round_3" / "graph.py"
    untouched = (workspace / "round_1" / "graph.py").read_text()
    assert invoke("check", workspace / "round_1", file, "--fix").exit_code == 0
    assert file.read_text().startswith("class Workflow:")
    assert json.loads(invoke("check", file, "--json").stdout)["repaired"] == []
    assert (workspace / "round_1" / "graph.py").read_text() == untouched


def test_check_fix_moves_prompts_of_the_same_file_beside_it(tmp_path):
    file = tmp_path / "graph.py"
    file.write_text("ASK = 'x'\n\n" + GRAPH.replace("prompt_custom.ASK", "ASK"))
    first = invoke("check", file, "--fix", "--json")
    assert first.exit_code == 0, first.output
    assert "'x'" in file.read_text() + (tmp_path / "prompt.py").read_text()
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert json.loads(invoke("check", file, "--fix", "--json").stdout)["repaired"] == []
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == written


def test_check_fix_keeps_links_and_permissions_and_refuses_what_it_would_spoil(tmp_path):
    real = tmp_path / "real.py"
    real.write_text(f"```python\n{GRAPH.replace('prompt_custom.ASK', repr('x'))}```")
    real.chmod(0o750)
    link = tmp_path / "graph.py"
    link.symlink_to(real)
    assert invoke("check", link, "--fix").exit_code == 0
    assert link.is_symlink()
    assert real.read_text().startswith("class Workflow:")
    assert real.stat().st_mode & 0o777 == 0o750
    for prepare, message in (
        (lambda file: file.chmod(0o444), "it is read-only"),
        (lambda file: file.write_bytes(file.read_bytes() + b"# caf\xe9"), "it is not UTF-8"),
    ):
        file = tmp_path / "other.py"
        file.write_text(f"```python\n{GRAPH.replace('prompt_custom.ASK', repr('x'))}```")
        prepare(file)
        before = file.read_bytes()
        result = invoke("check", file, "--fix")
        assert (result.exit_code, file.read_bytes()) == (2, before)
        assert message in result.stderr
        file.chmod(0o644)


def test_findings_in_the_prompt_module_name_its_file(workspace):
    folder = workspace / "round_1"
    (folder / "prompt.py").write_text("ASK = 'x'\nOTHER = len('x')\n")
    assert f"{folder / 'prompt.py'}:2:1: warning: 'OTHER'" in invoke("check", folder / "graph.py").stdout


def test_a_file_without_a_workflow_is_said_to_be_one(tmp_path):
    (tmp_path / "notes.py").write_text("import os\n")
    assert "there is no class Workflow" in invoke("check", tmp_path / "notes.py").stdout


def test_check_reads_prompt_custom_too(workspace):
    folder = workspace / "round_2"
    (folder / "prompt.py").rename(folder / "prompt_custom.py")
    (folder / "prompt_custom.py").write_text("ASK = 'x'")
    assert invoke("check", folder / "graph.py").exit_code == 0


def test_check_takes_in_query_files(tmp_path):
    (tmp_path / "good.yaml").write_text("problem: p\ncheck: 'true'\n")
    (tmp_path / "bad.json").write_text('{"problem": "p", "tests": {"feedback": ["assert ("]}}')
    result = invoke("check", tmp_path / "good.yaml", tmp_path / "bad.json", "--json")
    good, bad = (json.loads(line) for line in result.stdout.splitlines())
    assert result.exit_code == 1
    assert good["ok"]
    assert not bad["ok"]
    assert "does not parse" in bad["diagnostics"][0]["message"]
    found = invoke("check", tmp_path, "--json")
    assert len(found.stdout.splitlines()) == 2


@pytest.mark.parametrize("content", [b"\xff\xfe\x00junk", b"x" * 10_000_000, b"", b"class Workflow:\n" + b"(" * 10_000])
def test_check_survives_absurd_files(tmp_path, content):
    file = tmp_path / "graph.py"
    file.write_bytes(content)
    result = invoke("check", file, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["diagnostics"]


def test_check_shows_people_place_and_remedy(workspace):
    file = workspace / "round_2" / "graph.py"
    result = invoke("check", file)
    assert f"{file}: not ok" in result.stdout
    assert f"{file}:5:58: error: prompt_custom.ASK is not defined [undefined-prompt]" in result.stdout
    assert "add ASK to the prompts" in result.stdout


# --- grade ---


QUERY = {
    "problem": "p",
    "entry_point": "f",
    "tests": {"feedback": ["assert f(1) == 2"], "hidden": ["assert f(2) == 3"]},
}


@pytest.mark.parametrize(
    ("code", "exit_code", "outcomes"),
    [
        ("def f(x):\n    return x + 1", 0, ["pass", "pass"]),
        ("def f(x):\n    return 2", 1, ["pass", "fail"]),
        ("def f(x):\n    raise KeyError(x)", 1, ["error", "error"]),
        ("def f(x:", 1, ["error", "error"]),
    ],
)
def test_grade_says_how_each_test_came_out(tmp_path, code, exit_code, outcomes):
    (tmp_path / "q.json").write_text(json.dumps(QUERY))
    (tmp_path / "code.py").write_text(code)
    result = invoke("grade", tmp_path / "code.py", "--query", tmp_path / "q.json", "--json")
    value = json.loads(result.stdout)
    assert result.exit_code == exit_code
    assert value.keys() == {"status", "passed", "pass_rate", "tests", "tier", "integrity", "usage", "output"}
    assert [test["outcome"] for test in value["tests"]] == outcomes
    assert [test["id"] for test in value["tests"]] == ["feedback/assert-1", "hidden/assert-1"]
    assert (value["passed"], value["tier"]) == (exit_code == 0, best_tier())


def test_grade_reads_standard_input_and_shows_people_what_failed():
    result = invoke("grade", "-", "--query", "demo:spiral-walk", input="def spiral_walk(grid):\n    return [1]\n")
    assert result.exit_code == 1
    assert "FAIL hidden/assert-4: assert spiral_walk" in result.stdout
    assert "     expected " in result.stdout
    assert "tests passed" in result.stdout
    assert f"sandbox: {best_tier()}\n" in result.stdout
    unsafe = invoke("grade", "-", "--query", "demo:spiral-walk", "--sandbox", "none", input="x = 1")
    assert "sandbox: process, which is no isolation" in unsafe.stdout


# --- run and export ---


def test_run_grades_every_evaluation(tmp_path):
    file = tmp_path / "graph.py"
    file.write_text(
        "class Workflow:\n    async def __call__(self, problem, entry_point):\n"
        "        s = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction='go')\n"
        "        return s['response']\n"
    )
    good = invoke("run", file, "demo:spiral-walk", "--worker", "sim:?skill=1", "--evaluations", 2, "--json")
    assert good.exit_code == 0
    value = json.loads(good.stdout)
    assert (value["score"], value["passed"], len(value["evaluations"]), value["simulated"]) == (1.0, True, 2, True)
    bad = invoke("run", file, "demo:spiral-walk", "--worker", "sim:?skill=0")
    assert bad.exit_code == 1
    assert "Failing tests:" in bad.stdout


def test_run_grades_the_best_answer_on_hidden_tests_too(tmp_path):
    file = tmp_path / "graph.py"
    file.write_text(
        "class Workflow:\n    async def __call__(self, problem):\n        return 'def f(x):\\n    return 2'\n"
    )
    query = tmp_path / "q.json"
    tests = {"feedback": ["assert f(1) == 2"], "hidden": ["assert f(1) == 2", "assert f(2) == 3"]}
    query.write_text(json.dumps({"problem": "p", "entry_point": "f", "tests": tests}))
    result = invoke("run", file, query, "--worker", "sim:", "--json")
    assert result.exit_code == 1
    value = json.loads(result.stdout)
    assert (value["feedback_score"], value["hidden_score"], value["score"], value["passed"]) == (1.0, 0.5, 0.5, False)
    assert "50% of the hidden tests" in invoke("run", file, query, "--worker", "sim:").stdout


def test_export_prints_or_writes_canonical_files(workspace, tmp_path):
    file = workspace / "round_3" / "graph.py"
    printed = invoke("export", file)
    assert printed.exit_code == 0
    assert '# graph.py\n"""A workflow in AFlow\'s format' in printed.stdout
    assert "\nclass Workflow:\n" in printed.stdout
    assert "# prompt.py\nASK = 'x'" in printed.stdout
    out = tmp_path / "out"
    assert invoke("export", file, "-o", out).exit_code == 0
    assert {path.name for path in out.iterdir()} == {"graph.py", "prompt.py", "__init__.py"}
    assert json.loads(invoke("check", out / "graph.py", "--json").stdout)["repaired"] == []


@pytest.mark.parametrize(("framework", "shows"), [("langgraph", "def build("), ("dspy", "class Workflow(")])
def test_export_writes_one_file_or_a_folder(workspace, tmp_path, framework, shows):
    pytest.importorskip(framework)
    file = workspace / "round_3" / "graph.py"
    assert shows in invoke("export", file, "--to", framework).stdout
    target = tmp_path / "made" / "mine.py"
    assert invoke("export", file, "--to", framework, "-o", target).stdout == f"wrote {target}\n"
    assert shows in target.read_text()
    folder = tmp_path / "folder"
    assert invoke("export", file, "--to", framework, "-o", folder).exit_code == 0
    assert [path.name for path in folder.iterdir()] == ["workflow.py"]


def test_export_refuses_one_file_for_a_framework_that_takes_several(workspace, tmp_path):
    ran = invoke("export", workspace / "round_3" / "graph.py", "-o", tmp_path / "one.py")
    assert ran.exit_code == 2
    assert "give a folder" in ran.stderr


@pytest.mark.parametrize("framework", ["langgraph", "dspy"])
def test_export_names_the_line_that_a_framework_cannot_express(tmp_path, framework):
    pytest.importorskip(framework)
    file = tmp_path / "graph.py"
    file.write_text(
        "class Workflow:\n    async def __call__(self, problem):\n"
        "        r = await self.custom(input=problem, instruction='x')\n"
        "        if self.llm.cost_manager.total_cost < 1:\n            return r['response']\n"
        "        return 'too dear'\n"
    )
    ran = invoke("export", file, "--to", framework)
    assert ran.exit_code == 1
    assert "line 4: the workflow decides by what was spent" in ran.stderr
    assert "count rounds instead" in ran.stderr


# --- runs, plugins, doctor ---


def test_runs_lists_and_shows():
    assert "no runs in" in invoke("runs", "list").stdout
    run = json.loads(invoke("solve", *SIMULATED, "demo:ticket-price", "--json", "-q").stdout)["run"]
    listed = invoke("runs", "list")
    assert run in listed.stdout
    assert "finished" in listed.stdout
    assert json.loads(invoke("runs", "list", "--json").stdout)[0]["score"] == 1.0
    shown = invoke("runs", "show", run[:12])
    assert "class Workflow:" in shown.stdout
    assert json.loads(invoke("runs", "show", "--json").stdout)["result"]["run"] == run


def test_plugins_lists_sources_hooks_and_what_they_provide():
    result = invoke("plugins")
    assert "builtin (flowreasoner)" in result.stdout
    assert "operators: AnswerGenerate, Custom, CustomCodeGenerate" in result.stdout
    value = json.loads(invoke("plugins", "--json").stdout)
    assert "aflow" in value["provides"]["backends"]
    assert {"builtin", "aflow"} <= {item["name"] for item in value["plugins"]}


def test_doctor_looks_at_everything():
    result = invoke("doctor", *SIMULATED)
    assert result.exit_code == 0
    for part in (
        "machine",
        "packages",
        "ok   openai",
        "sim: is a simulation",
        "read a file of yours: refused; write beside it: refused; connect to a local port: refused; "
        "signal your process: refused",
        "process: read a file of yours: done; write beside it: done; connect to a local port: done",
        "taken only with --sandbox none",
        "runs",
    ):
        assert part in result.stdout
    findings = json.loads(invoke("doctor", "--json", *SIMULATED).stdout)
    assert {"machine", "packages", "models", "sandbox", "store", "plugins"} == {item["area"] for item in findings}


def test_doctor_finds_a_server_that_is_not_there_and_a_damaged_store(tmp_path, monkeypatch):
    monkeypatch.setenv("FLOWREASONER_WORKER", "openai:m?base_url=http://127.0.0.1:9/v1")
    (tmp_path / "bad.sqlite").write_text("x" * 1000)
    result = invoke("doctor", "--store", tmp_path / "bad.sqlite")
    assert result.exit_code == 1
    assert "cannot connect to 127.0.0.1:9" in result.stdout
    assert "the file is damaged" in result.stdout


def test_looking_at_runs_makes_no_store(tmp_path):
    assert (
        f"no runs in {tmp_path / 'typo.sqlite'}" in invoke("runs", "list", "--store", tmp_path / "typo.sqlite").stdout
    )
    assert not (tmp_path / "typo.sqlite").exists()


# --- the command line itself ---


@pytest.mark.parametrize(
    "command", ["runs list", "doctor", "--help", "solve demo:check-digit --meta-agent sim: --worker sim: -q --json"]
)
def test_output_that_cannot_be_written_is_one_line(command):
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "flowreasoner_plugins", *command.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert result.returncode == 3
    assert result.stderr == "error: cannot write the output: No space left on device\n"


def test_a_terminal_that_is_not_utf_8_gets_question_marks():
    result = subprocess.run(
        [sys.executable, "-m", "flowreasoner_plugins", "solve", *SIMULATED, "demo:check-digit", "-q"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=True,
    )
    assert b"best workflow ---" in result.stdout
    assert b"?" in result.stdout  # the bars of the scores


def test_help_shows_every_command_with_examples():
    result = invoke("--help")
    for name in ("solve", "run", "grade", "check", "export", "runs", "plugins", "doctor"):
        assert f"  {name} " in result.stdout
        own = invoke(name, "--help")
        assert own.exit_code == 0
        assert "Examples:" in own.stdout


HEAVY = ["torch", "openai", "litellm", "langgraph", "dspy", "metagpt", "transformers", "numpy", "tokenizers"]


@pytest.mark.parametrize("statement", ["import flowreasoner", "import sys; sys.argv = ['f', '--help']; HELP"])
def test_start_up_imports_nothing_heavy(statement):
    run_help = "from flowreasoner_plugins.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass"
    code = statement.replace("HELP", "pass\n" + run_help) + "\nimport sys\nprint('LOADED', *sorted(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.partition("LOADED")[2].split())
    assert "flowreasoner" in loaded
    assert not {name for name in loaded if name.partition(".")[0] in HEAVY}


@pytest.mark.slow
def test_an_installed_plugin_is_used_and_its_broken_neighbour_skipped(tmp_path, monkeypatch):
    plugin = Path(__file__).parents[2] / "third_party_plugin"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "--target",
            tmp_path,
            plugin,
        ],
        check=True,
        capture_output=True,
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def run(*args):
        command = [sys.executable, "-m", "flowreasoner_plugins", *args]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    listed = json.loads(run("plugins", "--json").stdout)
    infos = {item["name"]: item for item in listed["plugins"]}
    assert infos["parrot"]["source"] == "flowreasoner-parrot 1.2.3"
    assert len(infos["parrot"]["hooks"]) == 12
    assert "this plugin is broken on purpose" in infos["broken"]["problem"]
    assert run("squawk").stdout == "squawk\n"
    solved = run(
        "solve",
        *SIMULATED,
        "birds:wings",
        "--designer",
        "hasty",
        "--sandbox",
        "cage",
        "--worker",
        "sim:?skill=1",
        "--json",
    )
    assert solved.returncode == 0, solved.stderr
    assert json.loads(solved.stdout)["score"] == 1.0
    assert "parrot heard the end: wings" in solved.stderr
    assert "warning: the plugin 'broken'" in solved.stderr
    graph = tmp_path / "graph.py"
    graph.write_text(
        "class Workflow:\n    async def __call__(self, problem):\n"
        "        r = await self.parrot(text=problem)\n        return r['echo']\n"
    )
    query = tmp_path / "q.json"
    query.write_text('{"problem": "say hello", "tests": {"feedback": {"format": "command", "source": "true"}}}')
    ran = run("run", str(graph), str(query), "--worker", "parrot:p", "--json")
    assert json.loads(ran.stdout)["answer"].startswith("Repeat: say hello")
    assert "CLASS WORKFLOW" in run("export", str(graph), "--to", "shout").stdout


def test_without_bubblewrap_the_weaker_tier_is_named_and_a_demanded_jail_is_an_error_with_the_remedy(tmp_path):
    (tmp_path / "answer.py").write_text("def spiral_walk(grid): return []")
    for tier in ("best", "jail"):
        command = ["grade", tmp_path / "answer.py", "--query", "demo:spiral-walk", "--sandbox", tier]
        process = spawn(*command, env={"PATH": "/nonexistent"})
        stdout, stderr = process.communicate(timeout=60)
        assert "bubblewrap is not installed (apt install bubblewrap" in stderr
        if tier == "jail":
            assert (process.returncode, stdout) == (3, "")
        elif process.returncode == 1:
            assert re.search(r"^sandbox: (landlock|interpreter), since the tier jail is not available", stderr, re.M)


@pytest.mark.parametrize("tier", ["none", "process"])
def test_a_folder_cannot_take_the_isolation_away(tmp_path, monkeypatch, tier):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flowreasoner.toml").write_text(f'sandbox = "{tier}"\n')
    result = invoke("solve", *SIMULATED, "demo:spiral-walk")
    assert result.exit_code == 2
    assert f"sandbox must not be '{tier}' here" in result.stderr
    (tmp_path / "flowreasoner.toml").write_text('sandbox = "landlock"\n')
    assert "must not be" not in invoke("grade", "/dev/null", "--query", "demo:spiral-walk").stderr
