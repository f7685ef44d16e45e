import pytest

from flowreasoner.workflow import Diagnostic
from flowreasoner.workflow.diagnostics import did_you_mean, listing


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


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("scEnsemble", ", did you mean 'sc_ensemble'?"),
        ("custm", ", did you mean 'custom'?"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_hints_name_the_closest(name, expected):
    assert did_you_mean(name, ["custom", "sc_ensemble"]) == expected


def test_hints_are_left_out_where_searching_would_take_long():
    assert did_you_mean("name_x", [f"name_{i}" for i in range(501)]) == ""
    assert did_you_mean("NAME500", [f"name_{i}" for i in range(501)]) == ", did you mean 'name_500'?"
    assert did_you_mean("x" * 61, ["x" * 60]) == ""


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], "none"),
        (["a"], "a"),
        (["b", "a"], "a and b"),
        ("cab", "a, b and c"),
        ("abcdefghijklmno", "a, b, c, d, e, f, g, h, i, j, k, l and 3 more"),
    ],
)
def test_names_are_listed_in_words(names, text):
    assert listing(names) == text
