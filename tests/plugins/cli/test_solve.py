import json
import os
import random
import signal
import time

import pytest
from agents import RIGHT, WRONG, one_call, proposal
from chat_server import ChatServer, Fault
from cli import SIMULATED, invoke, invoke_json, spawn
from sandboxes import best_tier

from flowreasoner.store import Store
from flowreasoner_plugins.benchmarks import DEMO

REQUIRED = {
    "answer",
    "score",
    "rounds",
    "best_round",
    "models",
    "simulated",
    "cost_usd",
    "calls",
    "seconds",
    "sandbox",
}
QUERY = {
    "id": "add",
    "problem": "Write add(a, b), the sum of two numbers.",
    "entry_point": "add",
    "tests": {"feedback": ["assert add(1, 2) == 3", "assert add(-1, -1) == -2"], "hidden": ["assert add(2, 2) == 4"]},
}


@pytest.fixture
def query(tmp_path):
    file = tmp_path / "add.json"
    file.write_text(json.dumps(QUERY))
    return file


@pytest.mark.slow
@pytest.mark.parametrize("task", [item.id for item in DEMO.queries()])
def test_every_problem_of_the_demo_is_solved_by_the_simulation(task):
    result = invoke_json("solve", *SIMULATED, f"demo:{task}")
    assert result.keys() >= REQUIRED
    assert {"score", "workflow", "modification", "cost", "diagnostics"} <= result["rounds"][0].keys()
    assert result["simulated"]
    assert result["feedback_score"] == 1.0
    assert result["hidden_score"] is not None
    assert result["sandbox"] == {"tier": best_tier(), "isolated": True}
    assert result["models"]["worker"].startswith("sim:")


def test_a_second_run_costs_nothing_and_gives_the_same():
    first, second = (invoke_json("solve", *SIMULATED, "demo:ticket-price") for _ in range(2))
    assert second["cached_calls"] == second["calls"] == first["calls"]
    assert first["cached_calls"] == 0
    for name in ("answer", "score", "best_round", "workflow"):
        assert first[name] == second[name]
    assert first["run"] != second["run"]


def test_people_see_workflow_rounds_answer_and_what_it_was():
    result = invoke("solve", *SIMULATED, "demo:spiral-walk")
    assert result.exit_code == 0
    for part in (
        "class Workflow:",
        "def spiral_walk(grid):",
        "what changed",
        "SIMULATED: no language model was used",
        f"sandbox: {best_tier()}",
        "stored as run",
    ):
        assert part in result.stdout
    assert "round 1/10: score" in result.stderr
    assert max(len(line) for line in result.stdout.splitlines() if "custom_code_generate(" in line) > 80


def test_out_writes_answer_workflow_and_result(tmp_path):
    out = tmp_path / "out"
    assert invoke("solve", *SIMULATED, "demo:spiral-walk", "--out", out, "-q").exit_code == 0
    assert {file.name for file in out.iterdir()} == {"answer.py", "graph.py", "prompt.py", "design.json"}
    again = invoke("run", out / "graph.py", "demo:spiral-walk", "--worker", "sim:?skill=1", "--json")
    assert again.exit_code == 0
    assert json.loads(again.stdout)["passed"]
    assert json.loads((out / "design.json").read_text())["answer"] + "\n" == (out / "answer.py").read_text()


def test_fail_under_sets_the_exit_code():
    args = ("solve", *SIMULATED, "demo:stair-ways", "--worker", "sim:?skill=0&repair=0", "--rounds", 1, "-q")
    assert invoke(*args).exit_code == 0
    assert invoke(*args, "--fail-under", "0.99").exit_code == 1


# --- a real server ---


def _answers(body):
    """A meta-agent and a worker behind one server, told apart by the system message."""
    messages = body["messages"]
    if messages[0]["role"] == "system":
        return one_call(f"attempt {sum(message['role'] == 'assistant' for message in messages)}")
    return f"```python\n{WRONG}\n```"


def _solve_args(server, query, *more):
    model = f"openai:test?base_url={server.url}&price=1,2&stream=1"
    return ("solve", query, "--meta-agent", model, "--worker", model, *more)


def test_ten_rounds_over_http_with_every_kind_of_trouble(query):
    faults = {
        2: Fault(status=429, retry_after=0.3),
        7: Fault(status=500),
        13: Fault(malformed=True),
        18: Fault(reasoning="thinking about it"),
        22: Fault(delay=1.5),
    }
    with ChatServer(_answers, faults=faults) as server:
        result = invoke_json(*_solve_args(server, query))
        asked = len(server.requests)
    assert len(result["rounds"]) == 10
    assert [len(item["scores"]) for item in result["rounds"]] == [3] * 10
    assert result["calls"] == 10 * (1 + 3)
    assert asked == 40 + 3  # each of the first three faults cost one more request
    assert sum(item["cost"]["calls"] for item in result["rounds"]) == result["operator_calls"] == 30
    assert result["cost_usd"] == pytest.approx(sum(item["cost"]["usd"] for item in result["rounds"]))
    assert result["cost_usd"] > 0
    assert not result["simulated"]


def test_hidden_tests_are_not_sent(query):
    marker = "2 + 20 - 20"
    value = {**QUERY, "tests": {**QUERY["tests"], "hidden": [f"assert add(2, 2) == {marker}"]}}
    query.write_text(json.dumps(value))
    with ChatServer(_answers) as server:
        result = invoke_json(*_solve_args(server, query, "--rounds", 2))
        assert marker not in json.dumps(server.requests)
        assert "add(-1, -1)" in json.dumps(server.requests)
    assert result["hidden_score"] == 0.0


def test_a_right_answer_stops_early(query):
    def answer(body):
        return one_call() if body["messages"][0]["role"] == "system" else f"```python\n{RIGHT}\n```"

    with ChatServer(answer) as server:
        result = invoke_json(*_solve_args(server, query))
        assert len(server.requests) == 4
    assert (result["stopped"], result["score"]) == ("perfect", 1.0)


# --- interruption ---

SLOW = proposal(
    "        xs = []\n"
    "        for index in range(4):\n"
    "            s = await self.custom_code_generate(problem=problem, entry_point=entry_point, "
    "instruction=f'{prompt_custom.WRITE} {index}')\n"
    "            xs.append(s['response'])\n"
    "        best = await self.sc_ensemble(solutions=xs, problem=problem)\n"
    "        return best['response']"
)


def _slow_answers(body):
    messages = body["messages"]
    if messages[0]["role"] == "system":
        round_number = sum(message["role"] == "assistant" for message in messages) + 1
        return SLOW.replace("Write it.", f"Write it, round {round_number}.")
    prompt = messages[-1]["content"]
    if "solution_letter" in prompt:
        return "<thought>t</thought><solution_letter>C</solution_letter>"
    return f"```python\ndef add(a, b):\n    return a - b + {len(prompt) % 7}  # {prompt[-40:]!r}\n```"


def _completions(path):
    with Store(path) as store:
        return store._db.execute("SELECT count(*) FROM completions").fetchone()[0]


@pytest.mark.slow
def test_kill_9_at_20_random_points_loses_and_repeats_nothing(query, tmp_path):
    latency, margin = 0.12, 0.1
    arrivals = []

    def answer(body):
        arrivals.append(time.monotonic() - latency)
        return _slow_answers(body)

    with ChatServer(answer, latency=latency) as server:
        args = _solve_args(server, query, "--rounds", 6, "--no-early-stop", "--json", "-q")
        whole = spawn(*args, env={"FLOWREASONER_STORE": str(tmp_path / "whole.sqlite")})
        expected = json.loads(whole.communicate(timeout=60)[0])
        needed = len(server.requests)
        path = tmp_path / "killed.sqlite"
        store = {"FLOWREASONER_STORE": str(path)}
        roll = random.Random(5)
        kills = stored = 0
        command = args
        while kills < 20:
            server.requests.clear()
            arrivals.clear()
            process = spawn(*command, env=store)
            # Late enough to have started, early enough to be killed 20 times before the end.
            _wait_for(lambda started=process: len(server.requests) >= 1 or started.poll() is not None)
            time.sleep(roll.uniform(0.0, 0.25))
            if process.poll() is not None:
                break
            process.kill()
            killed = time.monotonic()
            process.communicate(timeout=10)
            kills += 1
            time.sleep(latency + margin)
            before, stored = stored, _completions(path)
            finished = sum(arrival < killed - latency - margin for arrival in arrivals)
            at_risk = sum(arrival >= killed - latency - margin for arrival in arrivals)
            assert stored - before >= finished, "a finished completion was not stored"
            assert len(server.requests) - (stored - before) <= at_risk, "a stored completion was asked for again"
            command = ("solve", "--resume", "--json", "-q")
        assert kills == 20
        server.requests.clear()
        last = spawn("solve", "--resume", "--json", "-q", env=store)
        result = json.loads(last.communicate(timeout=60)[0])
        assert len(server.requests) == _completions(path) - stored
        assert _completions(path) == needed
    for name in ("answer", "score", "best_round", "workflow", "calls", "cost_usd", "stopped", "hidden_score"):
        assert result[name] == expected[name], name
    assert [item["score"] for item in result["rounds"]] == [item["score"] for item in expected["rounds"]]


def _wait_for(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.005)


def test_ctrl_c_stops_cleanly_and_says_how_to_resume(query, tmp_path):
    with ChatServer(_slow_answers, latency=0.3) as server:
        process = spawn(*_solve_args(server, query, "--rounds", 3), start_new_session=True)
        _wait_for(lambda: len(server.requests) > 8)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 130
        assert "Traceback" not in err
        last = err.strip().splitlines()[-1]
        assert last.startswith("error: interrupted; ")
        run = last.rpartition(" ")[2]
        assert f"go on with: flowreasoner solve --resume {run}" in last
        assert out == ""
        listed = invoke("runs", "list", "--json")
        assert [(item["id"], item["status"]) for item in json.loads(listed.stdout)] == [(run, "interrupted")]
        shown = invoke("runs", "show", run)
        assert f"go on with: flowreasoner solve --resume {run}" in shown.stdout
        done = invoke("solve", "--resume", run, "--json", "-q")
        assert done.exit_code == 0
        assert len(json.loads(done.stdout)["rounds"]) == 3


def test_a_finished_run_is_shown_again_without_asking_anything(query):
    with ChatServer(_answers) as server:
        first = invoke_json(*_solve_args(server, query, "--rounds", 1))
        asked = len(server.requests)
        again = invoke("solve", "--resume", first["run"], "--json")
        assert len(server.requests) == asked
    assert json.loads(again.stdout) == first
    assert "is already finished" in again.stderr


def test_resume_refuses_other_settings_and_a_changed_query(query):
    with ChatServer(_answers) as server:
        run = invoke_json(*_solve_args(server, query, "--rounds", 1))["run"]
    other = invoke("solve", "--resume", run, "--rounds", 5)
    assert other.exit_code == 2
    assert f"run {run} was started with --rounds 1, not 5; leave --rounds out" in other.stderr
    query.write_text(json.dumps({**QUERY, "problem": "Something else."}))
    changed = invoke("solve", "--resume", run)
    assert changed.exit_code == 2
    assert f"the query of run {run} has changed since" in changed.stderr
    nothing = invoke("solve", "--resume", "nope")
    assert nothing.exit_code == 2
    assert "no run matches 'nope'" in nothing.stderr


# --- settings ---


def test_settings_come_from_environment_and_file_and_options_win(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flowreasoner.toml").write_text('rounds = 2\nworker = "sim:?skill=0&repair=0"\n')
    args = ("solve", "demo:stair-ways", "--meta-agent", "sim:")
    result = invoke_json(*args)
    assert (len(result["rounds"]), result["models"]["worker"]) == (2, "sim:worker?skill=0&repair=0&seed=0")
    monkeypatch.setenv("FLOWREASONER_ROUNDS", "3")
    assert len(invoke_json(*args)["rounds"]) == 3
    assert len(invoke_json(*args, "--rounds", 1)["rounds"]) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rouns = 2", "has the unknown key 'rouns'; known are meta_agent, worker, rounds"),
        ("rounds = 'two'", "rounds has the wrong type: 'two'"),
        ("rounds =", "cannot read the configuration file"),
    ],
)
def test_a_wrong_configuration_file_is_named(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flowreasoner.toml").write_text(text)
    result = invoke("solve", *SIMULATED, "demo:stair-ways")
    assert result.exit_code == 2
    assert message in result.stderr
    assert "flowreasoner.toml" in result.stderr


@pytest.mark.parametrize(
    ("uri", "refused"),
    [
        ("openai:m?key_env=GITHUB_TOKEN", True),
        ("openai:m?base_url=http://198.51.100.7/v1", True),
        ("openai:m?base_url=http://127.0.0.1:9/v1&retries=0", False),
    ],
)
def test_a_folders_configuration_cannot_say_where_keys_go(tmp_path, monkeypatch, uri, refused):
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_secret")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flowreasoner.toml").write_text(f'worker = "{uri}"\n')
    result = invoke("solve", "demo:stair-ways", "--meta-agent", "sim:")
    assert result.exit_code == (2 if refused else 3)
    assert ("worker must not set key_env, or a base_url on another machine" in result.stderr) is refused
    (tmp_path / "flowreasoner.toml").rename(tmp_path / "mine.toml")
    monkeypatch.setenv("FLOWREASONER_CONFIG", str(tmp_path / "mine.toml"))
    own = invoke("run", "absent.py", "demo:stair-ways")
    assert "must not set" not in own.stderr


def test_the_budget_holds_for_a_resumed_run_unless_it_is_given_anew(query):
    def answer(body):
        return _answers(body).replace("a + b", "a - b")

    with ChatServer(answer) as server:
        uri = f"openai:m?base_url={server.url}&price=100,100"
        args = ["solve", query, "--worker", uri, "--meta-agent", uri, "--evaluations", 1, "--rounds", 6]
        first = invoke(*args, "--budget-usd", "0.05", "--json")
        assert first.exit_code == 0, first.output
        value = json.loads(first.stdout)
        assert (value["stopped"], value["cost_usd"] >= 0.05) == ("budget", True)
        asked = len(server.requests)
        again = invoke("solve", "--resume")
        assert "stopped by the budget, in the middle of a round" in again.stdout
        assert len(server.requests) == asked
        more = invoke("solve", "--resume", "--budget-usd", "50", "--json")
        assert json.loads(more.stdout)["stopped"] == "rounds"
        assert len(server.requests) > asked


def test_being_asked_to_end_is_as_clean_as_ctrl_c(query):
    with ChatServer(_answers, latency=0.5) as server:
        running = spawn(*_solve_args(server, query))
        while not server.requests:
            time.sleep(0.02)
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "interrupted; " in errors
    assert "go on with: flowreasoner solve --resume" in errors


def test_results_that_cannot_be_written_are_refused_before_anything_is_paid(query, tmp_path):
    with ChatServer(_answers) as server:
        result = invoke(*_solve_args(server, query), "--out", query / "x")
        assert (result.exit_code, len(server.requests)) == (2, 0)
    assert "cannot write to" in result.stderr
    assert invoke("solve", query, "--check", " ").exit_code == 2
    assert "--data" in invoke("solve", query, "--data", tmp_path).stderr


def test_a_design_without_any_answer_ends_with_1_and_no_advice_to_resume(query):
    crash = proposal("        x = {}\n        return x['nope']\n")
    with ChatServer(lambda _: crash) as server:
        uri = f"openai:m?base_url={server.url}"
        result = invoke("solve", query, "--worker", uri, "--meta-agent", uri, "--rounds", 2, "-q")
    assert result.exit_code == 1
    assert "none of the 2 rounds gave an answer; the last one said: line 4: KeyError: 'nope'" in result.stderr
    assert "--resume" not in result.stderr


def test_what_is_not_priced_or_simulated_is_said_of_the_right_model(query):
    with ChatServer(_answers) as server:
        result = invoke("solve", query, *SIMULATED, "--worker", f"openai:m?base_url={server.url}", "--rounds", 1)
    assert "price unknown" in result.stdout
    assert "$0.00" not in result.stdout
    assert "SIMULATED: the meta-agent is no model; pass --meta-agent for the real thing" in result.stdout


def test_the_whole_way_with_max_calls(query):
    args = ("solve", *SIMULATED, "demo:stair-ways", "--max-calls", 2, "--no-early-stop", "--rounds", 3)
    result = invoke(*args, "--json", "-q")
    errors = [error for item in json.loads(result.stdout)["rounds"] for error in item["errors"]]
    assert any("calls 3 is over the limit of 2" in error for error in errors)


def test_policies_divide_a_benchmarks_tests():
    split = invoke_json("solve", *SIMULATED, "demo:stair-ways", "--tests", "split")
    assert (split["tests"], split["leaky"]) == ("split", False)
    every = invoke("solve", *SIMULATED, "demo:stair-ways", "--tests", "all")
    assert "LEAKY" in every.stdout


def test_a_command_judges(tmp_path):
    file = tmp_path / "q.yaml"
    file.write_text("problem: Write top(xs).\nentry_point: top\nreference: |\n  def top(xs):\n      return max(xs)\n")
    check = 'python3 -c "import solution; assert solution.top([1, 3, 2]) == 3"'
    result = invoke_json("solve", *SIMULATED, file, "--check", check, "--worker", "sim:?skill=1")
    assert result["score"] == 1.0


@pytest.mark.shared_data
def test_public_benchmarks_are_read_from_their_files(shared_data):
    human = invoke_json(
        "solve", *SIMULATED, "humaneval:HumanEval/0", "--data", shared_data / "HumanEval.jsonl.gz", "--tests", "public"
    )
    assert (human["query"], human["tests"], human["score"]) == ("HumanEval/0", "public", 1.0)
    recorded = shared_data / "recorded_mbpp_predictions.jsonl.gz"
    mbpp = invoke_json(
        "solve",
        *SIMULATED,
        "mbpp:3",
        "--data",
        shared_data / "sanitized-mbpp.json.gz",
        "--worker",
        f"sim:?answers={recorded}",
    )
    assert (mbpp["query"], mbpp["tests"]) == ("MBPP/3", "split")
