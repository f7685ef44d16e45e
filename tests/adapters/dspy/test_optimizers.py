"""DSPy's optimizers on emitted programs: prompts and demos really change, and the score moves."""

import json

import pytest

from flowreasoner.workflow import Workflow

pytest.importorskip("dspy")
import dspy
from scripted_lm import Script, scripted_lm

from flowreasoner_adapters.dspy import DSPyBackend

SOURCE = """
class Workflow:
    async def __call__(self, problem):
        draft = await self.custom(input=problem, instruction="Answer.")
        final = await self.format(problem=problem, solution=draft["response"])
        return final["solution"]
"""
CAPITALS = {"France": "Paris", "Italy": "Rome", "Peru": "Lima", "Japan": "Tokyo", "Kenya": "Nairobi", "Cuba": "Havana"}
BETTER = "Answer with one word."
BEFORE = 16.67
"""Score of the program as it is emitted, in percent: one of six."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning"),
]


def answer(prompt, field):
    """Knows every capital, but is brief only about Cuba's, unless it is told to be or shown how."""
    if field == "solution":
        return prompt.rsplit("## given_solution ## ]]", 1)[1].split("\n")[1]
    if field != "response":
        return BETTER  # an optimizer asks for a better instruction
    country = max(CAPITALS, key=prompt.rfind)  # the last one that is named is asked for
    shown = "[[ ## response ## ]]\nHavana" in prompt
    if country == "Cuba" or shown or BETTER in prompt:
        return CAPITALS[country]
    return f"It is surely the city of {CAPITALS[country]}."


def examples():
    return [
        dspy.Example(problem=f"The capital of {country}?", answer=city).with_inputs("problem")
        for country, city in CAPITALS.items()
    ]


def right(example, prediction, trace=None):
    return example.answer == prediction.answer


def scored(program):
    return dspy.Evaluate(devset=examples(), metric=right, num_threads=2, display_progress=False)(program).score


@pytest.fixture
def program(using):
    script = Script(answer, raw=lambda prompt: f"```\n{BETTER}\n```" if "current instruction" in prompt else None)
    using(scripted_lm(script))
    return DSPyBackend().emit(Workflow.parse(SOURCE))


def test_evaluate_scores_the_program(program):
    assert scored(program) == BEFORE
    program.custom_1.signature = program.custom_1.signature.with_instructions(BETTER)
    assert scored(program) == 100.0


def test_bootstrap_few_shot_gives_each_predictor_demos(program):
    optimizer = dspy.BootstrapFewShot(metric=right, max_bootstrapped_demos=1, max_labeled_demos=0)
    better = optimizer.compile(program, trainset=examples())
    assert {name: len(one.demos) for name, one in better.named_predictors()} == {"custom_1": 1, "format_1": 1}
    assert better.custom_1.demos[0]["response"] == "Havana"
    assert scored(better) == 100.0


def test_mipro_rewrites_an_instruction(program):
    pytest.importorskip("optuna")
    optimizer = dspy.MIPROv2(
        metric=right, auto=None, num_candidates=3, max_bootstrapped_demos=0, max_labeled_demos=0, num_threads=1
    )
    better = optimizer.compile(program, trainset=examples(), valset=examples(), num_trials=4, minibatch=False)
    assert better.custom_1.signature.instructions == BETTER
    assert scored(better) == 100.0


def test_gepa_rewrites_an_instruction(program):
    pytest.importorskip("gepa")

    def told(example, prediction, trace=None, pred_name=None, pred_trace=None):
        return dspy.Prediction(score=float(right(example, prediction)), feedback="too long")

    optimizer = dspy.GEPA(metric=told, max_metric_calls=40, reflection_lm=dspy.settings.lm, num_threads=1)
    better = optimizer.compile(program, trainset=examples(), valset=examples())
    assert better.custom_1.signature.instructions == BETTER
    assert scored(better) == 100.0


def test_an_optimized_program_is_saved_and_loaded(program, tmp_path):
    program.custom_1.signature = program.custom_1.signature.with_instructions(BETTER)
    program.save(tmp_path / "better.json")
    assert json.loads((tmp_path / "better.json").read_text())["custom_1"]["signature"]["instructions"] == BETTER
    again = DSPyBackend().emit(Workflow.parse(SOURCE))
    again.load(tmp_path / "better.json")
    assert scored(again) == 100.0
