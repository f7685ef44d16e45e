"""Workflows as live DSPy modules: predictors, forward, tracing, usage, saving, errors."""

import asyncio
import contextvars
import json
import pickle
import threading

import pytest

from flowreasoner.budget import Budget
from flowreasoner.errors import BudgetExceeded, ModelRefused, OperatorError, PluginError, QueryError, WorkflowFailed
from flowreasoner.workflow import Workflow

pytest.importorskip("dspy")
import dspy
from dspy.utils.callback import BaseCallback
from dspy.utils.callback_context import ACTIVE_CALL_ID
from dspy.utils.exceptions import AdapterParseError, LMAuthError
from scripted_lm import Script, scripted_lm

from flowreasoner_adapters.dspy import DSPyBackend

SOURCE = """
class Workflow:
    async def __call__(self, problem):
        solutions = []
        for _ in range(5):
            solution = await self.custom(input=problem, instruction=prompt_custom.SOLVE)
            solutions.append(solution["response"])
        best = await self.sc_ensemble(solutions=solutions, problem=problem)
        review = await self.review(problem=problem, solution=best["response"])
        if not review["review_result"]:
            revised = await self.revise(problem=problem, solution=best["response"], feedback=review["feedback"])
            return revised["solution"]
        return best["response"]
"""
SITES = ["custom_1", "sc_ensemble_1", "review_1", "revise_1"]
REPLIES = {"thought": "", "solution_letter": "B", "review_result": False, "feedback": "shorter", "solution": "done"}


class Answers:
    """Answers a sample with a number of its own, and the other fields from a table."""

    def __init__(self, **replies):
        self.replies, self.samples = REPLIES | replies, 0

    def __call__(self, prompt, field):
        if field in self.replies:
            return self.replies[field]
        self.samples += 1
        return f"sample {self.samples}"


def program(source=SOURCE, prompts=None, **settings):
    return DSPyBackend(**settings).emit(Workflow.parse(source, prompts or {"SOLVE": "Solve it."}))


def steps(*lines):
    return "class Workflow:\n    async def __call__(self, problem, entry_point, test_cases):\n" + "\n".join(
        " " * 8 + line for line in lines
    )


def run(module, way, **inputs):
    if way == "call":
        return module(**inputs)
    return asyncio.run(module.acall(**inputs))


def test_there_is_one_predictor_per_call_site_with_its_prompt_and_typed_fields():
    predictors = dict(program().named_predictors())
    assert list(predictors) == SITES
    assert predictors["custom_1"].signature.instructions == "Solve it."
    assert predictors["custom_1"].signature.signature == "input -> response"
    review = predictors["review_1"].signature
    assert {name: field.annotation for name, field in review.fields.items()} == {
        "problem": str,
        "solution": str,
        "review_result": bool,
        "feedback": str,
    }
    assert "{" not in "".join(one.signature.instructions for one in predictors.values())


def test_a_prompt_that_is_made_at_run_time_is_an_input():
    lines = ["a = await self.custom(input=problem, instruction=f'Solve {entry_point}')", "return a['response']"]
    assert program(steps(*lines)).custom_1.signature.signature == "instruction, input -> response"


@pytest.mark.parametrize("way", ["call", "acall"])
def test_every_call_is_seen_by_history_usage_and_trace(using, way):
    lm = scripted_lm(Script(Answers()))
    using(lm, track_usage=True, trace=[])
    module = program()
    said = run(module, way, problem="p")
    assert said.answer == "done"
    assert len(lm.history) == len(module.history) == 8
    assert len(module.custom_1.history) == 5
    assert next(iter(said.get_lm_usage().values()))["total_tokens"] == 8 * 5
    traced = [predictor for predictor, _, _ in dspy.settings.trace]
    assert sorted(map(id, traced)) == sorted(
        [id(module.custom_1)] * 5 + [id(getattr(module, name)) for name in SITES[1:]]
    )
    assert module.revise_1.history[0]["messages"][-1]["content"].count("shorter") == 1


class _Calls(BaseCallback):
    """Notes which call each LM call and each predictor was made by."""

    def __init__(self):
        self.parents, self.modules = {}, {}

    def on_module_start(self, call_id, instance, inputs):
        self.modules[call_id] = instance
        self.parents[call_id] = ACTIVE_CALL_ID.get()


@pytest.mark.parametrize("way", ["call", "acall"])
def test_callbacks_see_each_predictor_inside_of_the_program(using, way):
    seen = _Calls()
    using(scripted_lm(Script(Answers())), callbacks=[seen])
    module = program()
    run(module, way, problem="p")
    top = next(call for call, instance in seen.modules.items() if instance is module)
    inner = [call for call, instance in seen.modules.items() if instance is not module]
    assert len(inner) == 8
    assert all(seen.parents[call] == top for call in inner)


@pytest.mark.parametrize("way", ["call", "acall"])
def test_a_synchronous_engine_is_enough_and_still_asked_several_times_at_once(using, way):
    script = Script(Answers(), delay=0.1)
    using(scripted_lm(script, synchronous=True))
    assert run(program(), way, problem="p").answer == "done"
    assert script.most > 1


@pytest.mark.parametrize("way", ["call", "acall"])
def test_independent_calls_run_at_the_same_time(using, way):
    script = Script(Answers(), delay=0.1)
    using(scripted_lm(script))
    run(program(), way, problem="p")
    assert script.most == 5


def test_repeated_samples_are_drawn_anew_and_a_repeated_run_comes_from_the_cache(using):
    script = Script(Answers())
    using(scripted_lm(script, cache=True))
    module = program()
    assert module(problem="cached").answer == "done"
    assert len(script.prompts) == 8
    module(problem="cached")
    assert len(script.prompts) == 8


async def test_forward_works_inside_of_a_running_loop(using):
    using(scripted_lm(Script(Answers())))
    assert program()(problem="p").answer == "done"


def test_many_threads_and_evaluate_run_one_module(using):
    script = Script(Answers(), delay=0.02)
    using(scripted_lm(script))
    module = program()
    examples = [dspy.Example(problem=f"p{number}", answer="done").with_inputs("problem") for number in range(12)]

    def metric(example, prediction, trace=None):
        return example.answer == prediction.answer

    score = dspy.Evaluate(devset=examples, metric=metric, num_threads=4, display_progress=False)(module).score
    assert score == 100.0
    results = []
    context = [contextvars.copy_context() for _ in range(4)]
    threads = [
        threading.Thread(target=one.run, args=(lambda: results.append(module(problem="p").answer),)) for one in context
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["done"] * 4


def test_a_predictor_may_have_an_lm_of_its_own(using):
    using(scripted_lm(Script(Answers())))
    other = Script(Answers(solution="by another"))
    module = program()
    module.revise_1.lm = scripted_lm(other)
    assert module(problem="p").answer == "by another"
    assert len(other.prompts) == 1


def test_demos_are_shown_to_the_lm(using):
    script = Script(Answers())
    using(scripted_lm(script))
    module = program()
    module.custom_1.demos = [dspy.Example(input="an earlier problem", response="an earlier answer")]
    module(problem="p")
    assert sum("an earlier answer" in prompt for prompt in script.prompts) == 5


def test_a_synchronous_lm_is_enough(using):
    lm = dspy.utils.DummyLM([{"response": "def f(): pass"}] * 3)
    using(lm)
    lines = ["a = await self.custom(input=problem, instruction='x')", "return a['response']"]
    assert program(steps(*lines))(problem="p").answer == "def f(): pass"


# --- copies and files ---


def test_state_goes_through_json(using, tmp_path):
    module = program()
    module.custom_1.signature = module.custom_1.signature.with_instructions("Solve it at once.")
    module.review_1.demos = [dspy.Example(problem="p", solution="s", review_result=True, feedback="")]
    module.save(tmp_path / "state.json")
    assert sorted(json.loads((tmp_path / "state.json").read_text())) == sorted([*SITES, "metadata"])
    again = program()
    again.load(tmp_path / "state.json")
    assert again.custom_1.signature.instructions == "Solve it at once."
    assert again.review_1.demos[0]["review_result"] is True
    using(scripted_lm(Script(Answers())))
    assert again(problem="p").answer == "done"


def test_a_whole_program_is_saved_and_loaded(using, tmp_path):
    module = program()
    module.custom_1.signature = module.custom_1.signature.with_instructions("Solve it at once.")
    module.save(tmp_path / "program", save_program=True)
    again = dspy.load(tmp_path / "program", allow_pickle=True)
    assert again.custom_1.signature.instructions == "Solve it at once."
    using(scripted_lm(Script(Answers())))
    assert again(problem="p").answer == "done"


@pytest.mark.parametrize("copied", [lambda module: module.deepcopy(), lambda module: module.reset_copy()])
def test_copies_share_nothing_that_optimizers_change(copied):
    module = program()
    module.custom_1.demos = [dspy.Example(input="a", response="b")]
    again = copied(module)
    again.custom_1.demos.append(dspy.Example(input="c", response="d"))
    again.custom_1.signature = again.custom_1.signature.with_instructions("other")
    assert len(module.custom_1.demos) == 1
    assert module.custom_1.signature.instructions == "Solve it."
    assert again.workflow == module.workflow


def test_a_workflow_goes_through_pickle():
    workflow = Workflow.parse(SOURCE, {"SOLVE": "x"})
    assert pickle.loads(pickle.dumps(workflow)) == workflow


# --- code in the sandbox ---


@pytest.mark.slow
@pytest.mark.parametrize("way", ["call", "acall"])
def test_code_is_tested_in_the_sandbox_and_corrected_by_its_predictor(using, way):
    lines = [
        "a = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction='Write it.')",
        "t = await self.test(problem=problem, solution=a['response'], entry_point=entry_point)",
        "return f\"{t['result']}: {t['solution']}\"",
    ]
    replies = {"response": "def f():\n    return 1", "solution": "```python\ndef f():\n    return 2\n```"}
    script = Script(lambda _, field: replies[field])
    using(scripted_lm(script))
    said = run(program(steps(*lines)), way, problem="p", entry_point="f", test_cases=["assert f() == 2"])
    assert said.answer == "True: def f():\n    return 2"
    assert len(script.prompts) == 2
    assert "assert f() == 2" in script.prompts[1]


# --- errors ---


def test_a_reply_that_cannot_be_read_is_asked_for_once_more(using):
    """DSPy itself asks for JSON after the first reply; the second question is the operator's own."""
    unreadable = iter(["no idea", "no idea"])
    script = Script(Answers(), raw=lambda prompt: next(unreadable, None) if "review_result" in prompt else None)
    using(scripted_lm(script))
    assert program()(problem="p").answer == "done"
    assert sum("review_result" in prompt for prompt in script.prompts) == 3


@pytest.mark.parametrize("way", ["call", "acall"])
def test_a_reply_that_cannot_be_read_twice_is_an_error_of_the_operator(using, way):
    script = Script(Answers(), raw=lambda prompt: "no idea" if "review_result" in prompt else None)
    using(scripted_lm(script))
    with pytest.raises(OperatorError, match=r"(?s)the reply to Review cannot be read: .*no idea") as raised:
        run(program(), way, problem="p")
    assert isinstance(raised.value, AdapterParseError)
    assert raised.value.lm_response == "no idea"


def test_a_workflow_may_catch_an_operators_error_and_not_the_lms(using):
    lines = ["try:", "    a = await self.review(problem=problem, solution='s')", "except Exception:"]
    module = program(steps(*lines, "    return 'caught'", "return a['feedback']"))
    using(scripted_lm(Script(Answers(), raw=lambda _: "no idea")))
    assert module(problem="p").answer == "caught"

    def refused(*_):
        raise LMAuthError("wrong key")

    using(scripted_lm(Script(refused)))
    with pytest.raises(LMAuthError, match="wrong key"):
        module(problem="p")


def test_code_fields_hold_code_only(using):
    lines = [
        "a = await self.custom_code_generate(problem=problem, entry_point='f', instruction='x')",
        "return a['response']",
    ]
    using(scripted_lm(Script(lambda *_: "Here you are:\n```python\ndef f(): pass\n```\nGood luck!")))
    assert program(steps(*lines))(problem="p").answer == "def f(): pass"
    using(scripted_lm(Script(lambda *_: "I would rather not.")))
    with pytest.raises(OperatorError, match="there is no Python code in the reply"):
        program(steps(*lines))(problem="p")


@pytest.mark.parametrize(
    ("lm", "said"), [(None, "DSPy has no LM"), ("openai/gpt-4o-mini", "must be a dspy.LM"), (3, "must be a dspy.LM")]
)
def test_a_missing_or_wrong_lm_is_one_clear_error(using, lm, said):
    using(lm)
    with pytest.raises(ModelRefused, match=said):
        program()(problem="p")


def test_inputs_without_a_problem_are_one_clear_error(using):
    """Many data sets call it a question; the LM would be asked nothing."""
    using(scripted_lm(Script(Answers())))
    with pytest.raises(QueryError, match=r"asked by problem=\.\.\., and was given only question"):
        program()(question="The capital of Peru?")


def test_failures_of_the_workflow_are_raised(using):
    using(scripted_lm(Script(Answers())))
    with pytest.raises(WorkflowFailed, match="ValueError"):
        program(steps("n = int(problem)", "return str(n)"))(problem="p")
    with pytest.raises(BudgetExceeded, match="calls"):
        program(budget=Budget(calls=3))(problem="p")


def test_an_unsupported_version_names_the_extra(monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda _: "3.5.0")
    with pytest.raises(PluginError, match=r"dspy 3\.5\.0 is installed.*flowreasoner\[dspy\]"):
        DSPyBackend()
