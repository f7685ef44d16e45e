from types import SimpleNamespace

import pytest
from agents import ADD, RIGHT, coder, one_call

from flowreasoner import Query, Suite, design
from flowreasoner.designers.grading import grade_answer
from flowreasoner.errors import QueryError
from flowreasoner.models import ScriptedModel
from flowreasoner.sandbox import Pool


async def test_code_is_taken_out_of_the_answer():
    grade = await grade_answer(f"Here you are:\n```python\n{RIGHT}\n```", ADD, Pool("process"))
    assert (grade.answer, grade.score) == (RIGHT, 1.0)


async def test_an_answer_without_code_fails_every_test():
    grade = await grade_answer("I do not know.", ADD, Pool("process"))
    assert grade.score == 0.0
    assert [test.detail for test in grade.tests] == ["the answer contains no code"] * 2


async def test_a_command_judges_the_file():
    query = Query("p", feedback=Suite.command("grep -q 42 answer.txt", answer_file="answer.txt"))
    assert (await grade_answer("it is 42", query, Pool("process"))).score == 1.0
    assert (await grade_answer("it is 41", query, Pool("process"))).score == 0.0


@pytest.mark.parametrize(
    ("metric", "score", "note"),
    [
        (lambda query, answer: 0.25 if answer == "a" and query.problem == "p" else 0, 0.25, ""),
        (lambda query, answer: True, 1.0, ""),
        (
            lambda example, prediction: prediction.answer == "a" and example.question == "p" and example.gold == 3,
            1.0,
            "",
        ),
        (lambda example, pred, trace=None: SimpleNamespace(score=0.5, feedback="almost"), 0.5, "almost"),
    ],
)
async def test_metrics_of_both_forms_score(metric, score, note):
    query = Query("p", metric=metric, metadata={"gold": 3})
    grade = await grade_answer("a", query, Pool("process"))
    assert (grade.score, grade.note) == (score, note)


async def test_a_metric_may_be_async_and_gets_the_given_example():
    example = SimpleNamespace(x=5)

    async def metric(example, prediction):
        return example.x / 10

    assert (await grade_answer("a", Query("p", metric=metric, example=example), Pool("process"))).score == 0.5


async def test_a_broken_metric_is_named():
    def judge(query, answer):
        raise ZeroDivisionError("oops")

    with pytest.raises(QueryError, match="the metric 'judge' raised ZeroDivisionError: oops"):
        await grade_answer("a", Query("p", metric=judge), Pool("process"))
    with pytest.raises(QueryError, match="must return a number or a bool, not 'good'"):
        await grade_answer("a", Query("p", metric=lambda query, answer: "good"), Pool("process"))


@pytest.mark.parametrize("value", [7, -0.1, float("nan"), float("inf")])
async def test_a_metric_outside_0_and_1_is_named(value):
    with pytest.raises(QueryError, match="must return a number between 0 and 1, not"):
        await grade_answer("a", Query("p", metric=lambda query, answer: value), Pool("process"))


async def test_metadata_may_be_called_question():
    query = Query("p", metric=lambda example, prediction: example.question == "other", metadata={"question": "other"})
    assert (await grade_answer("a", query, Pool("process"))).score == 1.0


async def test_a_design_can_be_steered_by_a_metric():
    query = Query("Say ten words.", entry_point="add", metric=lambda query, answer: len(answer.split()) / 10)
    result = await design(query, meta_agent=ScriptedModel([one_call()]), worker=coder(RIGHT), rounds=1)
    assert result.query.policy == "metric"
    assert result.score == pytest.approx(len(RIGHT.split()) / 10)
