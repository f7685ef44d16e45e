from fittings import QUERIES, bench, level, workflow_of

from flowreasoner.baselines.history import history
from flowreasoner.baselines.validation import Validated
from flowreasoner.feedback import Evaluation, Feedback
from flowreasoner.models import ScriptedModel

ROUNDS = [
    Validated(
        workflow_of(level(number)), "m", level(number), {QUERIES[0].id: Feedback((Evaluation("a", 0.0),))}
    ).as_round(QUERIES[0])
    for number in (1, 2, 3)
]


class Small(ScriptedModel):
    def __init__(self, most):
        super().__init__([])
        self.most = most

    def fits(self, messages):
        return len(messages) <= self.most


def contents(rounds, most=99):
    return [message.content for message in history(QUERIES[0], rounds, bench(Small(most)))]


def test_all_rounds_are_shown_in_their_order_and_numbered_from_1():
    found = contents(ROUNDS)
    assert found[2::2] == [level(1), level(2), level(3)]
    assert [text.splitlines()[0] for text in found[3::2]] == [f"# Feedback on round {number}" for number in (1, 2, 3)]


def test_where_there_is_no_room_the_first_are_left_out():
    found = contents(ROUNDS, most=6)
    assert found[2::2] == [level(2), level(3)]
    assert [text.splitlines()[0] for text in found[3::2]] == ["# Feedback on round 1", "# Feedback on round 2"]
    assert "shortened" not in found[1]


def test_with_no_room_for_any_the_task_stands_alone():
    assert len(contents(ROUNDS, most=3)) == 2
