import pytest
from arenas import ONE

from flowreasoner.baselines.aflow.experience import Experience
from flowreasoner.baselines.aflow.selection import Node
from flowreasoner.baselines.validation import Validated
from flowreasoner.feedback import Evaluation, Feedback


def node(number, score, parent=None, modification=""):
    feedback = {"q": Feedback((Evaluation("a", score),))}
    return Node(number, Validated(ONE, modification or f"Change {number}.", "r", feedback), parent)


@pytest.fixture
def tree():
    first = node(1, 0.5)
    second = node(2, 0.75, first)
    return [first, second, node(3, 0.5, first), node(4, 0.25, first), node(5, 1.0, second)]


def test_a_round_knows_what_was_made_from_it_and_nothing_else(tree):
    first, second, third, fourth, fifth = tree
    assert Experience.of(first, tree) == Experience(first, (second,), (third, fourth))
    assert Experience.of(second, tree) == Experience(second, (fifth,), ())
    assert Experience.of(third, tree) == Experience(third, (), ())
    assert Experience.of(first, tree).children == (second, third, fourth)


def test_a_change_is_known_where_it_was_made(tree):
    assert Experience.of(tree[0], tree).knows("Change 2.")
    assert Experience.of(tree[0], tree).knows("Change 4.")
    assert not Experience.of(tree[0], tree).knows("Change 5.")
    assert not Experience.of(tree[1], tree).knows("Change 2.")


def test_successes_are_told_from_failures(tree):
    better, worse = Experience.of(tree[0], tree).render().split("These changes did not help.")
    assert "made it better" in better
    assert "- (score 0.7500) Change 2." in better
    assert "- (score 0.5000) Change 3.\n- (score 0.2500) Change 4." in worse
    assert "Change 2." not in worse


def test_no_experience_is_said():
    alone = node(1, 0.5)
    assert Experience.of(alone, [alone]).render() == "Nothing was tried yet."
