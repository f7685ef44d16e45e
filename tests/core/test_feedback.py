from flowreasoner.budget import Spending
from flowreasoner.feedback import Evaluation, Feedback
from flowreasoner.sandbox import TestResult
from flowreasoner.workflow import Diagnostic

FAIL = TestResult("t1", "fail", "assert f(1) == 2", "expected 2, got 3")
PASS = TestResult("t2", "pass", "assert f(2) == 4")


def _feedback():
    return Feedback(
        (
            Evaluation("a", 0.5, (FAIL, PASS), spent=Spending(calls=2, input_tokens=100, usd=0.01), seconds=1.0),
            Evaluation(None, 0.0, error="line 3: KeyError: 'x'", seconds=3.0),
            Evaluation("b", 1.0, (PASS, PASS), note="the program printed: hello"),
        ),
        (Diagnostic(4, 1, "unused-result", "warning", "a result is never used", "use it"),),
        ("the worker was down",),
    )


def test_the_score_is_the_mean_and_the_best_is_the_highest():
    feedback = _feedback()
    assert feedback.score == 0.5
    assert feedback.best.answer == "b"
    assert not feedback.perfect


def test_the_message_holds_scores_failures_errors_diagnostics_and_spending():
    text = _feedback().render()
    for part in (
        "Score: 0.50, the mean of 3 runs (0.50, 0.00, 1.00).",
        "- assert f(1) == 2\n  fail in 1 of 3 runs\n  expected 2, got 3",
        "- 1 of 3: line 3: KeyError: 'x'",
        "Note: the program printed: hello",
        "- warning: line 4: a result is never used [unused-result]; use it",
        "Used per run: 0.7 operator calls, 33 tokens, $0.0033.",
    ):
        assert part in text
    assert "assert f(2) == 4" not in text


def test_a_refused_workflow_has_score_0_and_its_diagnostics():
    feedback = Feedback(diagnostics=(Diagnostic(1, 1, "syntax-error", "error", "does not parse", "correct it"),))
    assert feedback.score == 0.0
    assert feedback.best is None
    assert "refused before it ran" in feedback.render()
    assert "syntax-error" in feedback.render()


def test_json_brings_everything_back():
    feedback = _feedback()
    assert Feedback.from_json(feedback.to_json()) == feedback


def test_long_lists_are_cut_with_their_number():
    tests = tuple(TestResult(f"t{number}", "fail", f"assert f({number})") for number in range(30))
    assert "- and 18 more" in Feedback((Evaluation("a", 0.0, tests),)).render()


def test_the_complaint_is_one_line_about_the_commonest_failure():
    worse = TestResult("t3", "error", "assert f(\n    3\n) == 1", "ValueError: " + "x" * 500)
    feedback = Feedback(
        (Evaluation("a", 0.0, (FAIL, PASS)), Evaluation("b", 0.0, (worse,)), Evaluation("c", 0.5, (worse,)))
    )
    assert feedback.complaint.startswith("assert f( 3 ) == 1: ValueError: xxx")
    assert len(feedback.complaint) == 160
    assert _feedback().complaint == "line 3: KeyError: 'x'", "a run that failed tells more than a test"
    assert Feedback((Evaluation("a", 1.0, (PASS,)),)).complaint == ""
