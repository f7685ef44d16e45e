"""The program generator: a DSPy module that designs a program per query."""

import asyncio

import pytest
from agents import ADD, RIGHT, WRONG, one_call

from flowreasoner.errors import ModelError, ModelRefused, QueryError, RequestRefused
from flowreasoner.models import ChatRequest, FunctionModel

pytest.importorskip("dspy")
import dspy
from dspy.utils.exceptions import ContextWindowExceededError, LMAuthError, LMServerError
from scripted_lm import Script, scripted_lm

from flowreasoner_adapters.dspy import DSPyModel, FlowReasonerProgram

TESTS = ["assert add(1, 2) == 3", "assert add(-1, -1) == -2"]
ASK = (
    "<modification>one call</modification><graph>class Workflow:\n    async def __call__(self, problem):\n"
    "        a = await self.custom(input=problem, instruction=prompt_custom.ASK)\n        return a['response']</graph>"
    "<prompt>ASK = 'Answer.'</prompt>"
)


def meta(*proposals):
    """Returns an LM that proposes one workflow after the other."""
    left = list(proposals)
    return scripted_lm(Script(lambda *_: left.pop(0) if len(left) > 1 else left[0]))


def coder(prompt, field):
    return f"```python\n{RIGHT if 'better' in prompt else WRONG}\n```"


@pytest.mark.slow
@pytest.mark.parametrize("way", ["call", "acall"])
def test_a_query_gets_a_program_and_its_answer(using, way):
    worker = scripted_lm(Script(coder))
    designer = meta(one_call("Write it."), one_call("Write it better."))
    using(worker, track_usage=True)
    program = FlowReasonerProgram(meta_agent=designer, rounds=3, evaluations=1)
    given = {"problem": ADD.problem, "entry_point": "add", "tests": TESTS}
    said = program(**given) if way == "call" else asyncio.run(program.acall(**given))
    assert said.answer == RIGHT
    assert (said.score, said.rounds) == (1.0, 2)
    assert [name for name, _ in said.program.named_predictors()] == ["custom_code_generate_1"]
    assert said.program.custom_code_generate_1.signature.instructions.startswith("Write it better.")
    assert said.program(problem=ADD.problem, entry_point="add").answer == RIGHT
    assert len(worker.history) == 3
    assert len(designer.history) == 2
    assert {total["total_tokens"] for total in said.get_lm_usage().values()} == {10}


@pytest.mark.slow
def test_a_remembered_query_is_answered_by_its_program_whose_predictors_can_be_optimised(using):
    designer = meta(one_call("Write it better."))
    using(scripted_lm(Script(coder)))
    program = FlowReasonerProgram(meta_agent=designer, remember=True, rounds=1, evaluations=1)
    made = program.generate(ADD)
    assert [name for name, _ in program.named_predictors()] == [f"programs['{ADD.digest()}'].custom_code_generate_1"]
    assert program.generate(ADD) is made
    assert program(ADD).answer == RIGHT
    made.custom_code_generate_1.signature = made.custom_code_generate_1.signature.with_instructions("Worse.")
    assert program(ADD).answer == WRONG
    assert len(designer.history) == 1


def test_a_dspy_metric_scores_answers_with_a_prediction(using):
    seen = []

    def metric(example, prediction, trace, pred_name, pred_trace):
        seen.append((type(prediction), example.answer, trace))
        return dspy.Prediction(score=float(example.answer == prediction.answer), feedback="one word")

    using(scripted_lm(Script(lambda *_: "Lima")))
    said = FlowReasonerProgram(meta_agent=meta(ASK), metric=metric, rounds=1, evaluations=1)(
        question="The capital of Peru?", answer="Lima"
    )
    assert (said.answer, said.score) == ("Lima", 1.0)
    assert seen == [(dspy.Prediction, "Lima", None)]


def test_a_metric_may_run_a_dspy_program_itself(using):
    """An LM as a judge, called from inside of the design, which itself was called from synchronous code."""
    using(scripted_lm(Script(lambda *_: "Lima")))
    judge = FlowReasonerProgram(meta_agent=meta(ASK), metric=lambda query, answer: 1.0, rounds=1).generate("q")

    def score(query, answer):
        return float(judge(problem=answer).answer == "Lima")

    assert FlowReasonerProgram(meta_agent=meta(ASK), metric=score, rounds=1, evaluations=1)("q").score == 1.0


def test_an_lm_given_to_the_generator_is_its_programs():
    worker = scripted_lm(Script(lambda *_: "Lima"))
    program = FlowReasonerProgram(worker, meta(ASK), metric=lambda query, answer: 1.0, rounds=1).generate("q")
    assert program.get_lm() is worker


def test_core_models_and_uris_are_taken(using):
    given = FunctionModel(lambda _: ASK, "function:meta"), FunctionModel(lambda _: "Lima", "function:worker")
    said = FlowReasonerProgram(given[1], given[0], metric=lambda query, answer: 1.0, rounds=1)("q")
    assert said.answer == "Lima"
    FlowReasonerProgram("sim:", "sim:")


@pytest.mark.parametrize("lm", ["openai/gpt-4o-mini", 3, object(), {"api_key": "hunter2"}])
def test_a_model_of_the_wrong_kind_is_one_clear_error(lm):
    with pytest.raises(ModelRefused, match=r"dspy\.LM\('openai/gpt-4o-mini'\)") as caught:
        FlowReasonerProgram(lm)
    assert "hunter2" not in str(caught.value)


def test_a_missing_lm_and_a_missing_question_are_clear_errors(using):
    using(None)
    with pytest.raises(ModelRefused, match="DSPy has no LM"):
        FlowReasonerProgram(metric=lambda query, answer: 1.0)("q")
    with pytest.raises(QueryError, match="the query's problem is empty"):
        FlowReasonerProgram()()


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (LMAuthError("wrong key"), ModelRefused),
        (ContextWindowExceededError(message="too long"), RequestRefused),
        (LMServerError("busy"), ModelError),
    ],
)
async def test_what_an_lm_raises_is_told_apart(raised, kind):
    def answer(*_):
        raise raised

    with pytest.raises(ModelError) as caught:
        await DSPyModel(scripted_lm(Script(answer), num_retries=0)).complete(ChatRequest.ask("q"))
    assert type(caught.value) is kind
    assert caught.value.__cause__ is raised


async def test_tokens_are_counted_and_draws_are_independent():
    numbers = iter(range(9))
    model = DSPyModel(scripted_lm(Script(lambda *_: str(next(numbers))), cache=True))
    replies = [await model.complete(ChatRequest.ask("a new question", draw=draw)) for draw in ("1", "2", "1")]
    assert [reply.text for reply in replies] == ["0", "1", "0"]
    assert (replies[0].input_tokens, replies[0].output_tokens, replies[0].estimated) == (3, 2, False)
