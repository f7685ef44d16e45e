"""What a verdict says."""

import json

import pytest

from flowreasoner.sandbox import RunOutput, TestResult, Usage, Verdict


def verdict(*outcomes, status="ok"):
    tests = tuple(TestResult(f"t{n}", outcome, "SOURCE", "why") for n, outcome in enumerate(outcomes))
    return Verdict(tests, status, "process", "in_process", "printed", Usage(1.5, 0.25))


@pytest.mark.parametrize(
    ("outcomes", "status", "passed", "pass_rate"),
    [
        (["pass", "pass"], "ok", True, 1.0),
        (["pass", "fail"], "ok", False, 0.5),
        (["pass", "error", "timeout", "not_reached"], "ok", False, 0.25),
        (["pass", "skipped"], "ok", False, 0.5),
        ([], "ok", False, 0.0),
        (["pass"], "timeout", False, 1.0),
        (["pass"], "died", False, 1.0),
        (["pass"], "tampered", False, 0.0),
    ],
)
def test_only_a_whole_run_in_which_every_declared_test_passed_is_passed(outcomes, status, passed, pass_rate):
    result = verdict(*outcomes, status=status)
    assert result.passed is passed
    assert result.pass_rate == pass_rate


def test_the_json_form_holds_everything_but_the_tests_sources():
    value = json.loads(json.dumps(verdict("pass", "fail").to_json()))
    assert value == {
        "status": "ok",
        "passed": False,
        "pass_rate": 0.5,
        "tests": [
            {"id": "t0", "outcome": "pass", "detail": "why"},
            {"id": "t1", "outcome": "fail", "detail": "why"},
        ],
        "tier": "process",
        "integrity": "in_process",
        "usage": {"wall_s": 1.5, "cpu_s": 0.25},
        "output": "printed",
    }


@pytest.mark.parametrize(("status", "ok"), [("ok", True), ("failed", False), ("timeout", False)])
def test_a_run_is_ok_if_it_ended_well(status, ok):
    assert RunOutput(status, "", "", "process").ok is ok
