import asyncio
import json

import pytest
from agents import ADD, HALF, RIGHT, WRONG, coder, one_call, proposal

import flowreasoner
from flowreasoner import Budget, Query, Suite
from flowreasoner.api import StoreJournal, design
from flowreasoner.designers import NoJournal
from flowreasoner.errors import (
    BudgetExceeded,
    FlowReasonerError,
    ModelError,
    ModelRefused,
    NoAnswer,
    QueryError,
    RequestRefused,
    SandboxError,
)
from flowreasoner.events import EvaluationEnded, RoundEnded, WorkflowProposed
from flowreasoner.models import Completion, FunctionModel, ScriptedModel
from flowreasoner.sandbox import Pool
from flowreasoner.store import Store

BROKEN = proposal("        return await self.nothing(problem=problem)")


async def test_a_perfect_round_ends_the_design():
    agent = ScriptedModel([one_call("first"), one_call("second")])
    result = await design(ADD, meta_agent=agent, worker=coder({"first": WRONG, "second": RIGHT}))
    assert [item.score for item in result.rounds] == [0.0, 1.0]
    assert (result.stopped, result.best.number, result.answer) == ("perfect", 2, RIGHT)
    assert (result.hidden_score, result.hidden_passed, result.score) == (1.0, True, 1.0)
    assert len(agent.history) == 2
    assert result.workflow == result.best.workflow
    assert result.simulated


async def test_all_rounds_are_made_when_told_so():
    agent = ScriptedModel([one_call()] * 4)
    result = await design(ADD, meta_agent=agent, worker=coder(RIGHT), rounds=4, early_stop=False)
    assert (len(result.rounds), result.stopped, result.best.number) == (4, "rounds", 1)


async def test_every_design_is_evaluated_three_times_with_independent_draws():
    worker = coder(RIGHT)
    result = await design(ADD, meta_agent=ScriptedModel([one_call()]), worker=worker)
    assert len(result.rounds[0].feedback.evaluations) == 3
    assert len({request.draw for request in worker.history}) == 3
    assert len({request.messages for request in worker.history}) == 1


async def test_the_next_round_reads_the_failing_tests():
    agent = ScriptedModel([one_call("first"), one_call("second")])
    await design(ADD, meta_agent=agent, worker=coder({"first": HALF, "second": RIGHT}))
    feedback = agent.history[1].messages[-1].content
    assert "Score: 0.50, the mean of 3 runs (0.50, 0.50, 0.50)." in feedback
    assert "assert add(-1, -1) == -2" in feedback
    assert "expected -2, got 2" in feedback
    assert "fail in 3 of 3 runs" in feedback
    assert "add(1, 2)" not in feedback
    assert agent.history[1].messages[-2].content == one_call("first")


async def test_the_task_shows_query_tests_operators_and_rules():
    agent = ScriptedModel([one_call()])
    await design(ADD, meta_agent=agent, worker=coder(RIGHT))
    task = agent.history[0].messages[1].content
    assert ADD.problem in task
    assert "assert add(1, 2) == 3" in task
    assert "self.sc_ensemble(solutions: list[str], problem: str = '')" in task
    assert "At most 64 operator calls" in task


async def test_a_refused_workflow_is_corrected_within_its_round():
    agent = ScriptedModel([BROKEN, "no workflow here", one_call()])
    result = await design(ADD, meta_agent=agent, worker=coder(RIGHT))
    assert len(result.rounds) == 1
    assert result.score == 1.0
    assert "self.nothing is neither an operator nor a method" in agent.history[1].messages[-1].content
    assert "no <graph>" in agent.history[2].messages[-1].content
    assert [turn.role for turn in result.rounds[0].turns] == ["assistant", "user", "assistant", "user", "assistant"]


async def test_a_workflow_refused_three_times_is_a_round_with_score_0():
    agent = ScriptedModel([BROKEN] * 3 + [one_call()])
    result = await design(ADD, meta_agent=agent, worker=coder(RIGHT))
    first, second = result.rounds
    assert (first.score, first.workflow, second.score, result.best.number) == (0.0, None, 1.0, 2)
    assert {item.code for item in first.feedback.diagnostics} == {"unknown-operator"}
    assert "refused before it ran" in agent.history[3].messages[-1].content
    assert "unknown-operator" in agent.history[3].messages[-1].content


async def test_a_workflow_that_fails_while_running_scores_0_and_says_why():
    crash = proposal("        x = {}\n        return x[problem]")
    agent = ScriptedModel([crash, one_call()])
    result = await design(ADD, meta_agent=agent, worker=coder(RIGHT))
    assert result.rounds[0].score == 0.0
    assert "KeyError" in result.rounds[0].feedback.evaluations[0].error
    assert "3 of 3: line 4: KeyError" in agent.history[1].messages[-1].content


async def test_the_best_round_is_chosen_by_score_then_cost_then_simplicity():
    two_calls = proposal(
        "        a = await self.custom(input=problem, instruction=prompt_custom.WRITE)\n"
        "        s = await self.custom_code_generate(problem=problem, entry_point=entry_point, "
        "instruction=prompt_custom.WRITE, context=a['response'])\n        return s['response']"
    )
    agent = ScriptedModel([one_call("bad"), two_calls, one_call("good"), one_call("good")])
    worker = coder({"bad": WRONG, "Write it.": RIGHT, "good": RIGHT})
    result = await design(ADD, meta_agent=agent, worker=worker, rounds=4, early_stop=False)
    assert [item.score for item in result.rounds] == [0.0, 1.0, 1.0, 1.0]
    assert result.best.number == 3


async def test_the_answer_is_the_best_evaluation_of_the_best_round():
    codes = iter([WRONG, RIGHT, WRONG])
    worker = FunctionModel(lambda _: f"```python\n{next(codes)}\n```")
    result = await design(ADD, meta_agent=ScriptedModel([one_call()]), worker=worker, rounds=1)
    assert result.best.score == pytest.approx(1 / 3)
    assert result.answer == RIGHT


async def test_a_wrong_answer_that_passes_the_feedback_fails_the_hidden_tests():
    query = Query("p", entry_point="add", feedback=Suite.asserts(["assert add(1, 2) == 3"], "add"), hidden=ADD.hidden)
    result = await design(query, meta_agent=ScriptedModel([one_call()]), worker=coder(HALF))
    assert result.best.score == 1.0
    assert (result.hidden_score, result.hidden_passed, result.score) == (0.5, False, 0.5)


# --- hidden tests never leak ---


async def test_hidden_tests_reach_no_prompt_no_trace_no_log_and_no_store(tmp_path):
    marker = "MARKER_7f3a"
    hidden = Suite.asserts([f"assert add(1, 1) == 2  # {marker}", f"assert add(0, 0) == 0 or '{marker}'"], "add")
    query = Query(ADD.problem, id="q", entry_point="add", feedback=ADD.feedback, hidden=hidden, reference=marker)
    nosy = proposal(
        "        print(problem, entry_point)\n"
        "        s = await self.custom_code_generate(problem=problem, entry_point=entry_point, "
        "instruction=prompt_custom.WRITE)\n"
        "        t = await self.test(problem=problem, solution=s['response'], entry_point=entry_point)\n"
        "        r = await self.custom(input=f\"{t['solution']}\", instruction=problem)\n"
        "        return r['response']"
    )
    agent, worker = ScriptedModel([nosy, BROKEN, BROKEN, BROKEN, one_call()]), coder(WRONG)
    seen = []
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        run = store.start_run(query.title, {"digest": query.digest()})
        result = await design(
            query,
            meta_agent=agent,
            worker=worker,
            rounds=3,
            store=store,
            journal=StoreJournal(store, run),
            observers=[seen.append],
        )
        store.end_run(run, "finished", result.to_json())
        keys = [row[0] for row in store._db.execute("SELECT key FROM completions")]
    assert result.hidden_score is not None
    requests = [message.content for model in (agent, worker) for item in model.history for message in item.messages]
    assert len(requests) > 20
    assert marker not in "".join(requests)
    assert marker not in "".join(keys)
    assert marker.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert marker not in json.dumps([item.to_json() for item in result.rounds])
    assert marker not in json.dumps(result.to_json())
    assert marker not in repr(result)
    assert marker not in repr(seen)
    # The marker is really there to be found.
    assert marker in result.query.hidden.cases[1].source


# --- failures ---


async def test_a_worker_that_always_fails_ends_the_design():
    worker = FunctionModel(lambda _: ModelError("the worker is down"))
    with pytest.raises(ModelError, match="the worker is down"):
        await design(ADD, meta_agent=ScriptedModel([one_call()]), worker=worker)


async def test_a_worker_that_fails_once_costs_one_evaluation():
    replies = iter([ModelError("hiccup"), f"```python\n{RIGHT}\n```", f"```python\n{RIGHT}\n```"])
    worker = FunctionModel(lambda _: next(replies))
    result = await design(ADD, meta_agent=ScriptedModel([one_call()]), worker=worker, rounds=1)
    feedback = result.rounds[0].feedback
    assert (len(feedback.evaluations), feedback.dropped, feedback.score) == (2, ("hiccup",), 1.0)
    assert not feedback.perfect


async def test_a_refused_key_ends_the_design_at_once():
    worker = FunctionModel(lambda _: ModelRefused("wrong key"))
    with pytest.raises(ModelRefused, match="wrong key"):
        await design(ADD, meta_agent=ScriptedModel([one_call()]), worker=worker)
    agent = FunctionModel(lambda _: ModelRefused("wrong key"))
    with pytest.raises(ModelRefused):
        await design(ADD, meta_agent=agent, worker=coder(RIGHT))
    assert len(agent.history) == 1


async def test_a_failure_of_the_meta_agent_ends_the_design_and_models_try_again_themselves():
    agent = ScriptedModel([ModelError("hiccup"), one_call()])
    with pytest.raises(ModelError, match="hiccup"):
        await design(ADD, meta_agent=agent, worker=coder(RIGHT))
    assert len(agent.history) == 1


async def test_a_workflow_cannot_swallow_a_model_failure():
    swallow = proposal(
        "        try:\n"
        "            s = await self.custom(input=problem, instruction=prompt_custom.WRITE)\n"
        "            return s['response']\n"
        "        except Exception:\n"
        f"            return {RIGHT!r}"
    )
    worker = FunctionModel(lambda _: ModelError("down"))
    with pytest.raises(ModelError, match="down"):
        await design(ADD, meta_agent=ScriptedModel([swallow]), worker=worker)


class _BrokenSandbox(Pool):
    async def grade(self, code, suite):
        raise SandboxError("the sandbox is gone")


async def test_a_broken_sandbox_is_never_a_score():
    broken = _BrokenSandbox("process")
    with pytest.raises(SandboxError, match="the sandbox is gone"):
        await design(ADD, meta_agent=ScriptedModel([one_call()]), worker=coder(RIGHT), sandbox=broken)


async def test_no_answer_in_any_round_is_an_error_that_says_why():
    with pytest.raises(NoAnswer, match=r"none of the 2 rounds gave an answer; the last one said: .*self.nothing"):
        await design(ADD, meta_agent=ScriptedModel([BROKEN] * 6), worker=coder(RIGHT), rounds=2)


# --- budgets ---


def _priced(code, usd):
    return FunctionModel(lambda _: Completion(f"```python\n{code}\n```", input_tokens=10, output_tokens=10, usd=usd))


async def test_the_budget_of_the_whole_design_ends_it_with_the_best_so_far():
    agent = ScriptedModel([one_call()] * 10)
    result = await design(ADD, meta_agent=agent, worker=_priced(WRONG, 0.1), budget_usd=0.7)
    assert (result.stopped, len(result.rounds)) == ("budget", 2)
    assert result.cost.usd == pytest.approx(0.7), "the unfinished round was paid too"


async def test_nothing_is_asked_once_the_money_is_spent():
    many = proposal(
        "        for i in range(20):\n"
        "            s = await self.custom(input=problem, instruction=prompt_custom.WRITE)\n"
        "        return s['response']"
    )
    asked = []

    async def answer(request):
        request.permit()
        asked.append(request)
        await asyncio.sleep(0.01)
        return Completion(WRONG, usd=1.0)

    with pytest.raises(BudgetExceeded):
        await design(ADD, meta_agent=ScriptedModel([many]), worker=_OneAtATime(answer), budget_usd=2)
    assert len(asked) == 2


class _OneAtATime(FunctionModel):
    """A model that serves one request at a time, as an endpoint at its concurrency limit does."""

    def __init__(self, function):
        super().__init__(function)
        self._slot = asyncio.Semaphore(1)

    async def complete(self, request):
        async with self._slot:
            return await super().complete(request)


async def test_a_budget_in_dollars_does_not_hold_where_prices_are_unknown():
    worker = FunctionModel(lambda _: Completion(WRONG, input_tokens=10**6, usd=None))
    with pytest.raises(BudgetExceeded, match="the price of a model is not known"):
        await design(ADD, meta_agent=ScriptedModel([one_call()] * 5), worker=worker, budget_usd=0.01)
    assert len(worker.history) <= 3


async def test_a_resumed_design_whose_money_is_spent_gives_its_best_round():
    first = await design(ADD, meta_agent=ScriptedModel([one_call()]), worker=_priced(WRONG, 1.0), rounds=1)

    class Kept(NoJournal):
        def finished(self):
            return [item.to_json() for item in first.rounds]

    result = await design(ADD, meta_agent=ScriptedModel([]), worker=_priced(WRONG, 1.0), budget_usd=2.5, journal=Kept())
    assert (result.stopped, len(result.rounds), result.answer) == ("budget", 1, first.answer)


async def test_a_round_that_crashed_is_never_the_best():
    crash = proposal("        x = {}\n        return x['nope']\n")
    result = await design(ADD, meta_agent=ScriptedModel([one_call(), crash]), worker=_priced(WRONG, 0.01), rounds=2)
    assert (result.best.number, result.answer) == (1, WRONG)
    with pytest.raises(NoAnswer, match="KeyError: 'nope'"):
        await design(ADD, meta_agent=ScriptedModel([crash]), worker=_priced(WRONG, 0.01), rounds=1)


async def test_a_request_that_a_working_model_refuses_is_the_workflows_fault():
    def answer(request):
        long = len(request.messages[-1].content) > 5_000
        return RequestRefused("context length exceeded") if long else f"```python\n{RIGHT}\n```"

    greedy = proposal(
        "        s = await self.custom(input=problem, instruction=prompt_custom.WRITE)\n"
        "        s = await self.custom(input=problem * 1000, instruction=prompt_custom.WRITE)\n"
        "        return s['response']"
    )
    agent = ScriptedModel([greedy, one_call()])
    result = await design(ADD, meta_agent=agent, worker=FunctionModel(answer))
    assert [item.score for item in result.rounds] == [0.0, 1.0]
    assert "context length exceeded" in agent.history[1].messages[-1].content
    refusing = FunctionModel(lambda _: RequestRefused("unsupported temperature"))
    with pytest.raises(RequestRefused):  # nothing was ever answered: the settings are at fault, not the workflow
        await design(ADD, meta_agent=ScriptedModel([one_call()]), worker=refusing)


async def test_an_observer_that_fails_changes_no_score(caplog):
    def observer(event):
        raise KeyError("observer bug")

    result = await design(ADD, meta_agent=ScriptedModel([one_call()]), worker=coder(RIGHT), observers=[observer])
    assert result.score == 1.0
    assert caplog.text.count("observer bug") == 1


async def test_lone_surrogates_reach_neither_a_model_nor_the_answer():
    says = proposal("        return '\\ud83d' + problem\n")
    agent = ScriptedModel([says + "\ud83d", one_call()])
    result = await design(ADD, meta_agent=agent, worker=coder(RIGHT), rounds=2)
    assert result.score == 1.0
    for text in [message.content for request in agent.history for message in request.messages] + [
        evaluation.answer for item in result.rounds for evaluation in item.feedback.evaluations
    ]:
        text.encode()


async def test_a_budget_that_ends_before_any_answer_is_an_error():
    with pytest.raises(BudgetExceeded, match=r"usd 0.2 is over the limit of 0.15|usd 0.3 is over the limit of 0.15"):
        await design(ADD, meta_agent=ScriptedModel([one_call()]), worker=_priced(RIGHT, 0.1), budget_usd=0.15)


async def test_the_budget_of_one_run_is_the_workflows_fault():
    loop = proposal(
        "        for _ in range(10):\n"
        "            s = await self.custom(input=problem, instruction=prompt_custom.WRITE)\n"
        "        return s['response']"
    )
    agent = ScriptedModel([loop, one_call()])
    result = await design(ADD, meta_agent=agent, worker=coder(RIGHT), budget=Budget(calls=3))
    assert result.rounds[0].score == 0.0
    assert "calls 4 is over the limit of 3" in agent.history[1].messages[-1].content
    assert result.score == 1.0


@pytest.mark.parametrize("value", [0, -1])
def test_a_budget_of_nothing_is_refused(value):
    with pytest.raises(QueryError, match=rf"the budget's 'calls' must be above 0, got {value}"):
        Budget(calls=value)


# --- resume, cancellation, events ---


async def test_a_resumed_design_ends_as_an_uninterrupted_one(tmp_path):
    codes = {"first": WRONG, "second": HALF, "third": RIGHT}
    replies = [one_call(word) for word in codes]
    whole = await design(ADD, meta_agent=ScriptedModel(replies), worker=coder(codes))
    with Store(tmp_path / "s.sqlite") as store:
        journal = StoreJournal(store, store.start_run("t", {}))
        dying = ScriptedModel([replies[0], replies[1], ModelRefused("killed")])
        worker = coder(codes)
        with pytest.raises(ModelRefused):
            await design(ADD, meta_agent=dying, worker=worker, store=store, journal=journal)
        assert len(worker.history) == 6
        agent, later = ScriptedModel([replies[2]], dying.name), coder(codes)
        result = await design(ADD, meta_agent=agent, worker=later, store=store, journal=journal)
    assert len(agent.history) == 1
    assert len(later.history) == 3
    assert agent.history[0].messages == ScriptedModelHistory.last(whole, replies)
    assert [item.score for item in result.rounds] == [item.score for item in whole.rounds]
    assert result.answer == whole.answer
    assert result.cost.model_calls == whole.cost.model_calls


class ScriptedModelHistory:
    """What the meta-agent was asked in the last round of an uninterrupted design."""

    @staticmethod
    def last(whole, replies):
        from flowreasoner.designers.conversation import conversation, task_message
        from flowreasoner.operators import BUILTIN

        task = task_message(ADD, BUILTIN.values(), 64)
        return conversation(task, whole.rounds[: len(replies) - 1])


async def test_cancelling_leaves_no_task_behind():
    started = asyncio.Event()

    async def never(_):
        started.set()
        await asyncio.sleep(60)

    before = asyncio.all_tasks()
    task = asyncio.create_task(design(ADD, meta_agent=ScriptedModel([one_call()]), worker=FunctionModel(never)))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == before


async def test_events_tell_the_story_in_order():
    events = []
    agent = ScriptedModel([BROKEN, one_call()])
    await design(ADD, meta_agent=agent, worker=coder(RIGHT), observers=[events.append])
    names = [type(event).__name__ for event in events]
    assert names[:2] == ["DesignStarted", "RoundStarted"]
    assert names[-2:] == ["RoundEnded", "DesignEnded"]
    proposed = [event for event in events if isinstance(event, WorkflowProposed)]
    assert [(event.attempt, event.workflow is not None) for event in proposed] == [(0, False), (1, True)]
    assert names.count("CallEnded") == 3
    assert [event.evaluation.score for event in events if isinstance(event, EvaluationEnded)] == [1.0] * 3
    assert [event.round.number for event in events if isinstance(event, RoundEnded)] == [1]


def test_the_sync_twin_does_the_same():
    result = flowreasoner.design_sync(ADD, meta_agent=ScriptedModel([one_call()]), worker=coder(RIGHT))
    assert result.score == 1.0


async def test_the_sync_twin_refuses_a_running_loop():
    with pytest.raises(RuntimeError, match=r"use `await flowreasoner.design"):
        flowreasoner.design_sync(ADD, meta_agent="sim:", worker="sim:")


@pytest.mark.parametrize(("name", "value"), [("rounds", 0), ("evaluations", -1)])
async def test_settings_out_of_range_are_named(name, value):
    with pytest.raises(QueryError, match=f"{name} must be a whole number of at least 1, got {value}"):
        await design(ADD, meta_agent="sim:", worker="sim:", **{name: value})


async def test_another_seed_draws_anew(tmp_path):
    with Store(tmp_path / "s.sqlite") as store:
        for seed, asked in ((0, 3), (0, 0), (1, 3)):
            worker = coder(RIGHT)
            await design(ADD, meta_agent=ScriptedModel([one_call()]), worker=worker, store=store, seed=seed)
            assert len(worker.history) == asked


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"worker": lambda request: "x"}, "worker must be a chat model or a URI .*, not function; FunctionModel makes"),
        ({"meta_agent": None}, "meta_agent must be a chat model or a URI"),
        ({"budget": 3}, r"budget must be a Budget, e.g. Budget\(calls=20\), not 3"),
        ({"rounds": "3"}, "rounds must be a whole number of at least 1, got '3'"),
    ],
)
async def test_arguments_of_the_wrong_kind_are_named(settings, message):
    with pytest.raises(FlowReasonerError, match=message):
        await design(ADD, **{"meta_agent": ScriptedModel([one_call()]), "worker": coder(RIGHT)} | settings)


async def test_a_design_shows_itself_in_one_line():
    result = await design(ADD, meta_agent=ScriptedModel([one_call()]), worker=coder(RIGHT))
    assert repr(result) == "<Design of 'add': score 1.00 after 1 round, best is round 1>"


async def test_tests_are_written_for_the_function_that_the_problem_names():
    def answer(request):
        assert "is_leap" in request.messages[-1].content
        assert "the_function" not in request.messages[-1].content
        if request.purpose == "WriteTests":
            return "```python\nassert is_leap(2024) == True\n```"
        return "```python\ndef is_leap(year):\n    return year % 4 == 0\n```"

    result = await design(
        "Write a function is_leap(year).", meta_agent=ScriptedModel([one_call()]), worker=FunctionModel(answer)
    )
    assert (result.query.entry_point, result.score) == ("is_leap", 1.0)


class NarrowModel(ScriptedModel):
    """A model whose context holds a task, and one reply with its correction."""

    def fits(self, messages):
        return len(messages) <= 4


async def test_a_workflow_is_corrected_only_while_the_context_has_room():
    wrong, right = BROKEN, one_call()
    meta = NarrowModel([wrong, wrong, right])
    made = await design(ADD, meta_agent=meta, worker=coder(RIGHT), rounds=2, evaluations=1)
    assert [item.workflow is None for item in made.rounds] == [True, False]
    assert [len(request.messages) for request in meta.history] == [2, 4, 2]
