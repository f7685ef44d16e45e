import pytest

from flowreasoner.text import did_you_mean, listing, shorten, well_formed


@pytest.mark.parametrize(("text", "expected"), [("aé☃😀", "aé☃😀"), ("a\ud83db", "a?b"), ("\udcff", "?")])
def test_half_a_surrogate_pair_becomes_a_question_mark(text, expected):
    assert well_formed(text) == expected
    well_formed(text).encode()


def test_shortened_text_is_one_line_that_says_that_it_was_cut():
    assert shorten("a\n  b", 10) == "a b"
    assert shorten("abcdef", 4) == "abc…"


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
