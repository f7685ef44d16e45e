import pytest

from flowreasoner.workflow import Diagnostic


def finding(**changes):
    return Diagnostic(
        **{"line": 3, "column": 5, "code": "unknown-key", "severity": "error", "message": "no 'x'", "remedy": "use 'y'"}
        | changes
    )


def test_text_has_place_code_and_remedy():
    assert str(finding()) == "line 3: no 'x' [unknown-key]; use 'y'"
    assert str(finding(line=0)) == "no 'x' [unknown-key]; use 'y'"


def test_json_has_every_field():
    assert finding().to_json() == {
        "code": "unknown-key",
        "severity": "error",
        "line": 3,
        "column": 5,
        "message": "no 'x'",
        "remedy": "use 'y'",
    }


def test_findings_are_ordered_by_place():
    assert sorted([finding(line=3), finding(line=2, column=9), finding(line=2)])[0] == finding(line=2)


@pytest.mark.parametrize("part", ["message", "remedy"])
def test_long_texts_are_cut_as_they_end_up_in_prompts(part):
    text = getattr(finding(**{part: "x" * 100_000}), part)
    assert text == "x" * 600 + "…"
