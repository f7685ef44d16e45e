import pytest

from flowreasoner.text import shorten, well_formed


@pytest.mark.parametrize(("text", "expected"), [("aé☃😀", "aé☃😀"), ("a\ud83db", "a?b"), ("\udcff", "?")])
def test_half_a_surrogate_pair_becomes_a_question_mark(text, expected):
    assert well_formed(text) == expected
    well_formed(text).encode()


def test_shortened_text_is_one_line_that_says_that_it_was_cut():
    assert shorten("a\n  b", 10) == "a b"
    assert shorten("abcdef", 4) == "abc…"
