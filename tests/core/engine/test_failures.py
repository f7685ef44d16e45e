import pytest
from bodies import CALL, failing

from flowreasoner.budget import Budget
from flowreasoner.errors import (
    BudgetExceeded,
    ModelError,
    ModelRefused,
    OperatorError,
    SandboxError,
    StoreError,
    WorkflowFailed,
)

# --- failures -------------------------------------------------------------------------------------------------


async def test_a_try_body_waits_for_its_calls(run, worker):
    worker.reply = failing(bad=OperatorError("no reply"))
    body = (
        "try:\n    r = await self.custom(input='', instruction='bad')\nexcept Exception as e:\n"
        "    return 'caught ' + str(e)\nreturn r['response']"
    )
    result = await run(body)
    assert result.answer == "caught no reply"
    assert [call.status for call in result.trace.calls] == ["failed"]


async def test_a_loop_in_a_try_body_is_sequential(run, worker):
    result = await run(
        f"texts = []\ntry:\n    for i in range(3):\n        texts.append(({CALL})['response'])\n"
        f"except Exception:\n    pass\nreturn ''.join(texts)"
    )
    assert result.answer == "xxx"
    assert worker.most == 1


async def test_a_failure_from_before_a_try_is_not_caught_by_it(run, worker):
    worker.reply = failing(bad=OperatorError("early failure"))
    body = (
        "r = await self.custom(input='', instruction='bad')\ntry:\n    x = r['response'].split()\n"
        "except Exception:\n    return 'caught'\nreturn x[0]"
    )
    result = await run(body)
    assert result.answer is None
    assert str(result.error) == "early failure"


async def test_a_failure_in_a_helper_is_caught_around_its_call(run, worker):
    worker.reply = failing(bad=OperatorError("no reply"))
    members = "async def ask(self):\n    r = await self.custom(input='', instruction='bad')\n    return r['response']"
    result = await run("try:\n    return await self.ask()\nexcept Exception:\n    return 'caught'", members=members)
    assert result.answer == "caught"


async def test_a_failure_in_a_gathered_helper_is_caught_around_the_gather(run, worker):
    worker.reply = failing(bad=OperatorError("no reply"))
    members = (
        "async def ask(self, text):\n    r = await self.custom(input='', instruction=text)\n    return r['response']"
    )
    body = (
        "try:\n    rs = await asyncio.gather(self.ask('good'), self.ask('bad'))\n"
        "except Exception:\n    return 'caught'\nreturn rs[0]"
    )
    assert (await run(body, members=members)).answer == "caught"


async def test_calls_that_wait_for_a_failed_one_are_cancelled(run, worker):
    worker.reply = failing(bad=OperatorError("no reply"))
    body = (
        "a = await self.custom(input='', instruction='bad')\n"
        "b = await self.custom(input=a['response'], instruction='good')\nreturn b['response']"
    )
    result = await run(body)
    assert str(result.error) == "no reply"
    assert [call.status for call in result.trace.calls] == ["failed", "cancelled"]
    assert len(worker.inputs) == 1


async def test_a_failure_stops_further_calls(run, worker):
    worker.reply = failing(bad=OperatorError("no reply"))
    body = (
        "a = await self.custom(input='', instruction='bad')\nfor i in range(60):\n"
        "    b = await self.custom(input=str(i), instruction='good')\n"
        "    if b['response'] != 'x':\n        break\nreturn a['response']"
    )
    result = await run(body)
    assert isinstance(result.error, OperatorError)
    assert len(result.trace.calls) < 5


@pytest.mark.parametrize(
    ("body", "words", "line"),
    [
        ("x = 1\nreturn str(x / 0)", "ZeroDivisionError: division by zero", 4),
        ("return [][3]", "IndexError: list index out of range", 3),
        ("return {}['missing']", "KeyError: 'missing'", 3),
        ("x = problem\nif x:\n    int(x)\nreturn x", "ValueError: invalid literal for int() with base 10: 'P'", 5),
        ("return problem + 1", 'TypeError: can only concatenate str (not "int") to str', 3),
        ("return len(problem).strip()", "AttributeError: 'int' object has no attribute 'strip'", 3),
        ("return prompt_custom.P.strip()\nprompt_custom.P = ''", "NameError: prompt_custom.P is not defined", 3),
        ("prompt_custom.P = 3\nreturn prompt_custom.P", "TypeError: prompt_custom.P must be a string", 3),
        ("a, b = problem\nreturn a", "ValueError: not enough values to unpack (expected 2, got 1)", 3),
        ("a, b = 'xyz'\nreturn a", "ValueError: too many values to unpack (expected 2, got 3)", 3),
        ("a, *b, c = problem\nreturn a", "ValueError: not enough values to unpack (expected at least 2, got 1)", 3),
        ("problem()\nreturn ''", "TypeError: 'str' object is not callable", 3),
        ("problem[0] = 'x'\nreturn ''", "TypeError: 'str' object does not support item assignment", 3),
        ("return None", "TypeError: the workflow returned None instead of an answer", 3),
        ("return (None, 1)", "TypeError: the workflow returned None instead of an answer", 3),
    ],
)
async def test_failures_name_the_error_and_the_line(run, body, words, line):
    result = await run(body)
    assert isinstance(result.error, WorkflowFailed)
    assert str(result.error) == f"line {line}: {words}"
    assert result.error.line == line
    assert result.answer is None


@pytest.mark.parametrize(
    "fault",
    [
        "1 / 0",
        "[][3]",
        "{}['x']",
        "int('x')",
        "None + 1",
        "'a'.index('b')",
        "json.loads('{')",
        "re.search('(', 'a')",
        "next(iter_)",
        "[].pop()",
        "2 ** 9 ** 9 ** 9",
        "math.sqrt(-1)",
    ],
)
async def test_the_workflows_own_faults_can_be_caught(run, fault):
    body = f"iter_ = (x for x in [])\ntry:\n    {fault}\nexcept Exception:\n    return 'caught'\nreturn 'none'"
    assert (await run(body)).answer == "caught"


@pytest.mark.parametrize(
    ("kind", "fault", "caught"),
    [
        ("ValueError", "int('x')", True),
        ("(KeyError, ValueError)", "int('x')", True),
        ("LookupError", "[][1]", True),
        ("ArithmeticError", "1 / 0", True),
        ("KeyError", "int('x')", False),
        ("json.JSONDecodeError", "json.loads('{')", True),
        ("json.JSONDecodeError", "int('x')", False),
        ("re.error", "re.search('(', 'a')", True),
        ("NameError", "prompt_custom.P", True),
    ],
)
async def test_handlers_catch_what_they_name(run, kind, fault, caught):
    result = await run(
        f"try:\n    {fault}\nexcept {kind} as e:\n    return 'caught'\nreturn 'none'\nprompt_custom.P = ''"
    )
    assert (result.answer == "caught") is caught


async def test_try_else_and_finally_run_as_in_python(run):
    members = """
        def attempt(self, text):
            seen = []
            try:
                seen.append(int(text))
            except ValueError:
                seen.append('except')
            else:
                seen.append('else')
            finally:
                seen.append('finally')
            return str(seen)
        def leave(self):
            try:
                return 'try'
            finally:
                return 'finally'
        """
    result = await run("return self.attempt('1') + self.attempt('a') + self.leave()", members=members)
    assert result.answer == "[1, 'else', 'finally']['except', 'finally']finally"


async def test_the_name_of_a_caught_error_ends_with_its_handler(run):
    body = (
        "e = 1\ntry:\n    int('x')\nexcept ValueError as e:\n    pass\ntry:\n    return str(e)\n"
        "except NameError:\n    return 'gone'"
    )
    assert (await run(body)).answer == "gone"


# --- what a workflow cannot catch -----------------------------------------------------------------------------


SWALLOW = (
    "try:\n    r = await self.custom(input='', instruction='bad')\nexcept:\n"
    "    return 'swallowed'\nreturn r['response']"
)
GATHER = (
    "rs = await asyncio.gather(self.custom(input='', instruction='bad'), return_exceptions=True)\nreturn 'swallowed'"
)


@pytest.mark.parametrize(
    "error", [ModelError("down"), ModelRefused("bad key"), SandboxError("no fork"), StoreError("full")]
)
@pytest.mark.parametrize("body", [SWALLOW, GATHER])
async def test_infrastructure_failures_are_raised_past_every_handler(run, worker, error, body):
    worker.reply = failing(bad=error)
    with pytest.raises(type(error), match=str(error)):
        await run(body)


@pytest.mark.parametrize(
    "body",
    [
        SWALLOW,
        GATHER,
        (
            "try:\n    while True:\n        if not problem:\n            break\nexcept:\n    pass\n"
            "finally:\n    return 'swallowed'"
        ),
    ],
)
async def test_an_exceeded_budget_is_past_every_handler(run, worker, body):
    worker.reply = failing(bad=BudgetExceeded("usd", 1, 2))
    result = await run(body, budget=Budget(steps=500))
    assert isinstance(result.error, BudgetExceeded)
    assert result.answer is None


async def test_a_timeout_of_a_call_is_no_timeout_of_the_run(run, worker):
    worker.reply = failing(bad=TimeoutError("slow model"))
    uncaught = "try:\n    r = await self.custom(input='', instruction='bad')\nexcept ValueError:\n    pass\nreturn ''"
    result = await run(uncaught)
    assert isinstance(result.error, WorkflowFailed)
    assert "slow model" in str(result.error)
    assert (await run(SWALLOW)).answer == "swallowed"
