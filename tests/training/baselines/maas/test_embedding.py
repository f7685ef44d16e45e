import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowreasoner_training.baselines.maas.embedding import WIDTH, folder_encoder, hashed_ngrams


def cosine(one, two):
    return sum(a * b for a, b in zip(one, two, strict=True))


@given(st.text(max_size=200))
def test_vectors_are_of_one_width_and_length(text):
    vector = hashed_ngrams(text)
    assert len(vector) == WIDTH
    assert math.hypot(*vector) == pytest.approx(1.0) or not any(vector)


def test_a_worked_example():
    vector = hashed_ngrams("ab")  # one word, and of "<ab>" the grams <ab, ab>, <ab>
    assert sorted(abs(value) for value in vector if value) == pytest.approx([0.5] * 4)
    assert hashed_ngrams(" AB ") == vector
    found = {index: round(value, 9) for index, value in enumerate(vector) if value}
    assert found == {34: 0.5, 140: 0.5, 161: -0.5, 193: 0.5}  # on every machine


def test_like_texts_are_near_and_unlike_ones_are_not():
    asked = hashed_ngrams("Write a function that sorts a list of numbers.")
    near = cosine(asked, hashed_ngrams("Write a function that sorts the list of numbers, descending."))
    far = cosine(asked, hashed_ngrams("Which river runs through Vienna?"))
    assert near > 0.6
    assert abs(far) < 0.2


def test_a_text_without_anything_is_nothing():
    assert not any(hashed_ngrams("  \n"))


def test_an_encoder_from_a_folder(tiny):
    embed = folder_encoder(tiny)
    first, second = embed("Sort the list."), embed("Which river?")
    assert math.hypot(*first) == pytest.approx(1.0, abs=1e-5)
    assert len(first) == len(second)
    assert first == embed("Sort the list.") != second
