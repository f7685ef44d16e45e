import asyncio
from collections import Counter

import pytest
from bodies import CALL, SAMPLES, failing

from flowreasoner.budget import Budget, Meter, Spending
from flowreasoner.engine import run_workflow
from flowreasoner.errors import (
    OperatorError,
    WorkflowFailed,
)
from flowreasoner.operators import BUILTIN
from flowreasoner.workflow import Workflow

# --- values ---------------------------------------------------------------------------------------------------


async def test_arguments_are_snapshots(run, worker):
    body = (
        "items = ['a']\nr = await self.sc_ensemble(solutions=items)\nitems.append('b')\n"
        "items[0] = 'c'\nreturn r['response'] + str(items)"
    )
    result = await run(body)
    assert worker.inputs[0]["solutions"] == ["a"]
    assert result.answer == "x['c', 'b']"


async def test_arguments_with_pending_parts_are_snapshots_too(run, worker):
    body = (
        SAMPLES + "r = await self.sc_ensemble(solutions=texts)\ntexts.clear()\nreturn r['response'] + str(len(texts))"
    )
    assert (await run(body)).answer == "x0"
    assert worker.inputs[-1]["solutions"] == ["x"] * 5


async def test_a_worker_cannot_change_the_workflows_values(run, worker):
    def meddle(_, inputs):
        inputs["solutions"].append("meddled")
        return {}

    worker.reply = meddle
    result = await run("items = ['a']\nr = await self.sc_ensemble(solutions=items)\nreturn str(items) + r['response']")
    assert result.answer == "['a']x"


async def test_result_dictionaries_can_be_changed(run, worker):
    body = f"r = {CALL}\ns = r\nr['response'] = 'new'\nr['more'] = 1\nreturn s['response'] + str(len(s))"
    assert (await run(body)).answer == "new2"


async def test_text_built_before_a_change_keeps_the_old_value(run, worker):
    body = f"r = {CALL}\nt = f\"{{r['response']}}\"\nr['response'] = 'new'\nreturn t + r['response']"
    assert (await run(body)).answer == "xnew"


async def test_changed_results_do_not_reach_the_trace(run, worker):
    result = await run(f"r = {CALL}\nr['response'] = 'new'\nreturn r['response']")
    assert result.trace.calls[0].outputs == {"response": "x"}


async def test_prompts_are_a_copy_of_the_runs_own(worker):
    source = (
        "async def __call__(self, problem):\n    prompt_custom.P += '!'\n"
        "    r = await self.custom(input='', instruction=prompt_custom.P)\n"
        "    return prompt_custom.P + r['response']\n"
    )
    workflow = Workflow.parse(source, {"P": "p"})
    for _ in range(2):
        assert (await run_workflow(workflow, {"problem": ""}, worker)).answer == "p!x"
    assert workflow.prompts == {"P": "p"}
    assert [inputs["instruction"] for inputs in worker.inputs] == ["p!", "p!"]


async def test_sets_keep_the_order_of_insertion(run):
    result = await run("s = {'b', 'a'} | {'c'}\ns.add('0')\nreturn ''.join(s) + str(s) + ''.join(set('zyx'))")
    assert result.answer == "bac0{'b', 'a', 'c', '0'}zyx"


async def test_random_is_seeded(run):
    body = "return str([random.randint(0, 10**9), random.choice(range(10**9)), random.sample(range(100), 3)])"
    first, again, other = [(await run(body, seed=seed)).answer for seed in (1, 1, 2)]
    assert first == again != other


async def test_a_workflow_may_seed_random_itself(run):
    body = "random.seed(7)\na = random.random()\nrandom.seed(7)\nreturn str(a == random.random())"
    assert (await run(body)).answer == "True"


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("'text'", "text"),
        ("''", ""),
        ("('text', 0.5)", "text"),
        ("('text', self.llm.cost_manager.total_cost)", "text"),
        ("42", "42"),
        ("4.5", "4.5"),
        ("True", "True"),
        ("['a', 1]", "['a', 1]"),
        ("{'a': 1}", "{'a': 1}"),
        ("(['a'], 1)", "['a']"),
        ("()", "()"),
        (f"({CALL})['response']", "x"),
        (f"({CALL})['response'], 1", "x"),
        (f"{CALL}", "{'response': 'x'}"),
        (f"[({CALL})['response']]", "['x']"),
    ],
)
async def test_answers_are_texts(run, value, answer):
    assert (await run(f"return {value}")).answer == answer


@pytest.mark.parametrize(
    ("parameters", "arguments", "answer"),
    [
        (
            "problem, entry_point, test_cases",
            {"problem": "p", "entry_point": "f", "test_cases": ["t"]},
            "('p', 'f', ['t'])",
        ),
        ("problem, entry_point, test_cases", {}, "('', '', [])"),
        ("test_cases, problem, entry_point='f'", {"problem": "p"}, "('p', '', [])"),
    ],
)
async def test_a_run_supplies_the_standard_arguments(run, parameters, arguments, answer):
    result = await run("return str((problem, entry_point, test_cases))", parameters=parameters, arguments=arguments)
    assert result.answer == answer


async def test_other_parameters_take_their_default(run):
    assert (await run("return problem * rounds", parameters="problem, rounds=1 + 2")).answer == "PPP"


# --- money, log, trace ----------------------------------------------------------------------------------------


async def test_the_cost_waits_for_all_calls(run):
    meter = Meter(Budget())

    async def perform(operator, inputs, call):
        for _ in range(20):
            await asyncio.sleep(0)
        meter.charge(Spending(usd=0.25, model_calls=1))
        return {"response": "x"}

    body = f"a = {CALL}\nb = {CALL}\nreturn str(self.llm.cost_manager.total_cost), a, b"
    result = await run(body, perform=perform, meter=meter)
    assert result.answer == "0.5"
    assert result.spent == Spending(calls=2, model_calls=2, usd=0.5)


async def test_the_cost_waits_for_gathered_helpers(run):
    meter = Meter(Budget())

    async def perform(operator, inputs, call):
        await asyncio.sleep(0)
        meter.charge(Spending(usd=1.0))
        return {"response": "x"}

    members = f"async def ask(self, problem):\n    r = {CALL}\n    return r['response']"
    body = (
        "rs = await asyncio.gather(self.ask('a'), self.ask('b'))\n"
        "return str(self.llm.get_usage_summary()['total_cost'])"
    )
    assert (await run(body, members=members, perform=perform, meter=meter)).answer == "2.0"


async def test_log_lines_show_pending_values_once_they_are_there(run, worker):
    body = f"r = {CALL}\nprint('got', r['response'], [r], 1)\nlogger.info(problem)\nreturn r['response']"
    result = await run(body)
    assert result.trace.log == ["got x [{'response': 'x'}] 1", "P"]


async def test_log_lines_show_values_as_they_were(run, worker):
    result = await run(f"xs = [({CALL})['response']]\nprint(xs)\nxs.append('later')\nreturn str(xs)")
    assert result.trace.log == ["['x']"]


async def test_log_lines_of_values_that_never_came_say_so(run, worker):
    worker.reply = failing(bad=OperatorError("no reply"))
    result = await run(
        "r = await self.custom(input='', instruction='bad')\nprint('got', r['response'])\n"
        "print('then')\nreturn r['response']"
    )
    assert result.trace.log == ["<a logged value was never computed>", "then"]


async def test_the_trace_has_calls_in_the_programs_order(run):
    async def backwards(operator, inputs, call):
        for _ in range(50 - 10 * int(inputs["instruction"])):
            await asyncio.sleep(0)
        return {"response": inputs["instruction"]}

    body = (
        "texts = []\nfor i in range(12):\n"
        "    r = await self.custom(input='', instruction=str(i % 5))\n"
        "    texts.append(r['response'])\nreturn ''.join(texts)"
    )
    result = await run(body, perform=backwards)
    assert [call.path for call in result.trace.calls] == [str(i + 1) for i in range(12)]
    assert result.answer == "012340123401"


async def test_the_trace_tells_what_each_call_did(run, worker):
    result = await run(f"r = {CALL}\nreturn r['response']")
    (call,) = result.trace.calls
    assert (call.path, call.operator, call.site, call.line, call.status) == ("1", "Custom", "custom_1", 3, "ok")
    assert call.inputs == {"input": "P", "instruction": "i"}
    assert call.outputs == {"response": "x"}
    assert 0 <= call.start <= call.end <= result.seconds


async def test_the_trace_can_be_written_as_json(run, worker):
    result = await run(
        "r = await self.sc_ensemble(solutions=[problem, ('a', {1: {2, 3}})])\nprint(problem)\nreturn r['response']"
    )
    value = result.trace.to_json()
    assert value["log"] == ["P"]
    assert value["calls"][0]["inputs"]["solutions"] == ["P", ["a", {"1": "{2, 3}"}]]
    assert value["calls"][0]["spending"]["usd"] == 0.0


async def test_statuses_are_final(run, worker):
    worker.reply = failing(bad=OperatorError("no reply"))
    body = (
        "a = await self.custom(input='', instruction='bad')\n"
        "b = await self.custom(input='', instruction='good')\nreturn a['response']"
    )
    result = await run(body)
    assert Counter(call.status for call in result.trace.calls) == Counter(failed=1, ok=1)
    assert all(call.end is not None for call in result.trace.calls)


async def test_all_started_calls_end_before_the_run_does(run, worker):
    result = await run(f"a = {CALL}\nb = {CALL}\nreturn 'early'")
    assert [call.status for call in result.trace.calls] == ["ok", "ok"]
    assert worker.running == 0


@pytest.mark.parametrize("outputs", [{}, {"other": "x"}])
async def test_a_worker_that_leaves_out_a_key_fails_the_run(run, outputs):
    async def perform(operator, inputs, call):
        return outputs

    body = (
        f"r = {CALL}\nprint(r['response'])\n"
        f"s = await self.custom(input=r['response'], instruction='i')\nreturn s['response']"
    )
    result = await run(body, perform=perform)
    assert isinstance(result.error, WorkflowFailed)
    assert "response" in str(result.error)


# --- the end of a run -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        SAMPLES + "return ''",
        f"r = {CALL}\nreturn str(1 / 0)",
        f"any(x for x in [1, 2])\nr = {CALL}\nreturn str(next(x for x in [1, 2]))",
        (
            "r = await self.custom(input='', instruction='bad')\n"
            "t = await self.custom(input='', instruction='good')\nreturn r['response'] + t['response']"
        ),
    ],
)
async def test_a_run_leaves_no_task_behind(run, worker, body):
    worker.reply = failing(bad=OperatorError("no reply"))
    await run(body)
    for _ in range(3):  # abandoned generators end in tasks of the event loop's own
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_cancelling_a_run_cancels_its_calls(run):
    begun, ended = asyncio.Event(), []

    async def perform(operator, inputs, call):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(call)

    task = asyncio.create_task(run(SAMPLES + "return texts[0]", perform=perform))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(ended) == 5
    assert {call.status for call in ended} == {"cancelled"}
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_cancellation_cannot_be_swallowed(run):
    begun = asyncio.Event()

    async def perform(operator, inputs, call):
        begun.set()
        await asyncio.Event().wait()

    body = (
        f"while True:\n    try:\n        r = {CALL}\n    except:\n        continue\n    finally:\n"
        f"        x = 1\n    return r['response']"
    )
    task = asyncio.create_task(run(body, perform=perform))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_operators_can_be_the_callers_own(worker):
    workflow = Workflow.parse(
        "async def __call__(self, problem):\n    return (await self.custom('a', 'b'))['response']\n", {}
    )
    seen = []

    async def perform(operator, inputs, call):
        seen.append(operator)
        return {"response": "x"}

    own = {"Custom": BUILTIN["Custom"]}
    await run_workflow(workflow, {}, perform, operators=own)
    assert seen == [own["Custom"]]


async def test_a_call_that_was_never_awaited_is_no_answer(run):
    result = await run("x = self.help(problem)\nreturn x", members="async def help(self, text):\n    return text")
    assert "the workflow returned a call that was never awaited" in str(result.error)
