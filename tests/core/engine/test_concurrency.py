import pytest
from bodies import CALL, SAMPLES


async def test_a_sampling_loop_runs_all_its_calls_at_once(run, worker):
    result = await run(SAMPLES + "return ','.join(texts)")
    assert result.answer == "x,x,x,x,x"
    assert worker.most == 5


async def test_calls_of_a_sampling_loop_start_before_any_ends(run, worker):
    await run(SAMPLES + "return texts[0]")
    assert worker.events[:5] == ["+1", "+2", "+3", "+4", "+5"]


async def test_no_call_starts_that_the_sequential_program_would_not_make(run, worker):
    worker.reply = lambda _, inputs: {"response": "stop"}
    result = await run(
        f"for i in range(5):\n    r = {CALL}\n    if r['response'] == 'stop':\n        break\nreturn str(i)"
    )
    assert result.answer == "0"
    assert len(result.trace.calls) == 1


async def test_a_test_and_retry_loop_stays_sequential(run, worker):
    worker.reply = lambda name, _: {"result": False} if name == "Test" else {}
    body = """
        solution = (await self.custom_code_generate(problem=problem, entry_point='f', instruction='i'))['response']
        for _ in range(3):
            r = await self.test(problem=problem, solution=solution, entry_point='f')
            if r['result']:
                break
            solution = (await self.revise(problem=problem, solution=solution, feedback='f'))['solution']
        return solution
        """
    result = await run(body)
    assert worker.most == 1
    assert [call.operator for call in result.trace.calls] == ["CustomCodeGenerate", *["Test", "Revise"] * 3]


async def test_chains_of_two_steps_run_side_by_side(run, worker):
    body = """
        texts = []
        for i in range(4):
            draft = await self.custom(input=problem, instruction=str(i))
            better = await self.custom(input=f"Draft: {draft['response']}", instruction='b')
            texts.append(better['response'])
        return ' '.join(texts)
        """
    result = await run(body)
    assert result.answer == "x x x x"
    assert worker.most == 4
    begun = [event for event in worker.events if event[0] == "+"]
    assert begun == ["+1", "+3", "+5", "+7", "+2", "+4", "+6", "+8"]


async def test_an_ensemble_waits_for_the_samples_only(run, worker):
    body = (
        SAMPLES
        + f"best = await self.sc_ensemble(solutions=texts)\nother = {CALL}\nreturn best['response'] + other['response']"
    )
    await run(body)
    assert worker.most == 6
    assert worker.inputs[-1]["solutions"] == ["x"] * 5


@pytest.mark.parametrize(
    "operation",
    [
        "t = f'<{a}>'",
        "t = f'<{a!r}>' + problem",
        "t = 'b'\nt += a",
        "t = a + 'b' + a",
        "t = ', '.join([a, 'b', a])",
        "t = ', '.join(x for x in [a, 'b'])",
        "t = ', '.join({'k': a}.values())",
        "t = 'A {} {x}'.format(a, x=a)",
        "t = prompt_custom.FILL.format(x=a)",
        "t = a[:3] + a[1:] + a[-2:]",
        "t = a.strip().upper().replace('a', 'b')",
        "t = str(a)",
        "t = f'{[a]} {(a, 1)} {dict(k=1)}'",
        "t, other = a, a",
        "pair = [a, a]\nt = pair[0]",
        "t = {'k': a}['k']",
        "t = a if problem else ''",
        "t = self.tidy(a)",
        "f = lambda v: v\nt = f('b') + a",
        "t = ''\nfor part in [a, 'b']:\n    t += part",
        "t = a\nprint('see', a)",
        "t = [f'{q}!' for q in [a]][0]",
    ],
)
async def test_building_text_from_a_pending_value_does_not_wait(run, worker, operation):
    body = f"a = ({CALL})['response']\n{operation}\nb = {CALL}\nreturn t + b['response']"
    result = await run(body, prompts={"FILL": "<{x}>"}, members="def tidy(self, text):\n    return text + '!'")
    assert result.error is None
    assert worker.most == 2


@pytest.mark.parametrize(
    "operation",
    [
        "t = a.split()[0]",
        "t = a[0]",
        "t = 'y' if a else ''",
        "t = str(len(a))",
        "t = 'y' if a == 'x' else ''",
        "t = a.format(1)",
        "t = a * 2",
        "t = f'{a:>{len(a)}}'",
        "prompt_custom.FILL = a\nt = 'y'",
        "t = {a: 'y'}['x']",
        "t = sorted([a])[0]",
        "t = a.index('x') * 'y'",
        "r = {'n': a}\nt = r.get('n').zfill(3)",
    ],
)
async def test_what_could_fail_or_decide_waits(run, worker, operation):
    body = f"a = ({CALL})['response']\n{operation}\nb = {CALL}\nreturn t + b['response']"
    result = await run(body, prompts={"FILL": ""})
    assert result.error is None
    assert worker.most == 1


async def test_a_long_chain_of_postponed_text_is_evaluated(run, worker):
    result = await run(f"t = ({CALL})['response']\nfor i in range(500):\n    t += 'y'\nreturn t")
    assert result.answer == "x" + "y" * 500


async def test_a_chain_through_containers_is_evaluated_too(run):
    result = await run(f"t = ({CALL})['response']\nfor i in range(300):\n    t = f'{{[t]}}'[2:-2]\nreturn t")
    assert result.answer == "x"
