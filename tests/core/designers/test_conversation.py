from agents import ADD, one_call

from flowreasoner import Query
from flowreasoner.designers import Round
from flowreasoner.designers.conversation import conversation, task_message, within
from flowreasoner.feedback import Evaluation, Feedback
from flowreasoner.models import Message
from flowreasoner.operators import BUILTIN
from flowreasoner.workflow import Workflow

WORKFLOW = Workflow.parse("class Workflow:\n    async def __call__(self, problem):\n        return problem")


def _round(number, score, size=1000):
    reply = f"reply {number} " + "x" * size
    feedback = Feedback((Evaluation("answer", score),))
    return Round(number, "", f"change {number}", WORKFLOW, "g", "p", feedback, (Message("assistant", reply),))


def test_everything_is_whole_while_there_is_room():
    rounds = [_round(1, 0.1), _round(2, 0.2)]
    messages = conversation("TASK", rounds)
    assert [message.role for message in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert messages[1].content == "TASK"
    assert "# Feedback on round 2" in messages[-1].content
    assert "round 3" in messages[-1].content


def test_old_rounds_shrink_but_the_best_and_the_last_stay_whole():
    rounds = [_round(number, score) for number, score in enumerate([0.1, 0.9, 0.2, 0.3, 0.4], 1)]
    messages = conversation("TASK", rounds, within(900, None))
    text = "\n".join(message.content for message in messages)
    assert "reply 2" in text
    assert "reply 5" in text
    assert "reply 1" not in text
    assert "- Round 1 (score 0.10): change 1" in messages[1].content
    assert sum(len(message.content) for message in messages) <= 900 * 4


def test_no_more_is_shortened_than_needed():
    rounds = [_round(number, 0.1 * number) for number in range(1, 5)]
    whole = sum(len(message.content) for message in conversation("TASK", rounds))
    messages = conversation("TASK", rounds, within(whole // 4 - 1, None))
    assert [number for number in range(1, 5) if any(f"reply {number}" in message.content for message in messages)] == [
        2,
        3,
        4,
    ]


def test_the_model_itself_may_say_what_fits():
    class Small:
        def fits(self, messages):
            return len(messages) <= 4

    rounds = [_round(number, 0.1 * number) for number in range(1, 5)]
    messages = conversation("TASK", rounds, within(100_000, Small()))
    assert [message.role for message in messages] == ["system", "user", "assistant", "user"]
    assert "reply 4" in messages[2].content


def test_where_nothing_else_helps_even_the_best_and_the_last_shrink():
    rounds = [_round(number, 0.1 * number) for number in range(1, 5)]
    messages = conversation("TASK", rounds, lambda messages: len(messages) <= 2)
    assert [message.role for message in messages] == ["system", "user"]
    assert "- Round 4 (score 0.40): change 4" in messages[1].content


def test_a_query_with_a_metric_is_told_so_and_offered_no_test_operator():
    query = Query("p", metric=lambda query, answer: 1.0)
    task = task_message(query, BUILTIN.values(), None)
    assert "A metric of the user scores" in task
    assert "self.test(" not in task
    assert "any number of operator calls" in task


def test_many_tests_are_cut_with_their_number():
    task = task_message(ADD, BUILTIN.values(), 10)
    assert "run against 2 tests" in task
    assert one_call() not in task
