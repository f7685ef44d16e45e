import pytest
from bodies import CALL, failing

from flowreasoner.errors import (
    OperatorError,
    WorkflowFailed,
)


async def test_gather_starts_all_its_calls_and_keeps_their_order(run, worker):
    worker.reply = lambda _, inputs: {"response": inputs["instruction"]}
    body = (
        "rs = await asyncio.gather(*[self.custom(input='', instruction=str(i)) for i in range(3)])\n"
        "return ''.join(r['response'] for r in rs)"
    )
    assert (await run(body)).answer == "012"
    assert worker.most == 3


async def test_gather_of_helpers_runs_them_at_once_with_paths_of_their_own(run, worker):
    members = (
        f"async def ask(self, problem):\n    a = {CALL}\n    if a['response']:\n"
        f"        a = {CALL}\n    return a['response']"
    )
    result = await run(
        f"a = {CALL}\nx, y = await asyncio.gather(self.ask('a'), self.ask('b'))\nreturn x + y + a['response']",
        members=members,
    )
    assert result.answer == "xxx"
    assert worker.most == 3
    assert [call.path for call in result.trace.calls] == ["1", "2.1", "2.2", "3.1", "3.2"]


async def test_helpers_called_in_turn_share_the_flow(run, worker):
    members = f"async def ask(self, problem):\n    r = {CALL}\n    return r['response']"
    result = await run("return await self.ask('a') + await self.ask('b')", members=members)
    assert result.answer == "xx"
    assert [call.path for call in result.trace.calls] == ["1", "2"]
    assert worker.most == 2


async def test_plain_helpers_take_positional_named_and_default_arguments(run):
    members = "def join(self, a, b='B', c='C'):\n    return a + b + c"
    assert (
        await run(
            "return self.join('a') + self.join('a', c='c') + self.join(*['x', 'y'], **{'c': 'z'})", members=members
        )
    ).answer == "aBCaBcxyz"


async def test_arguments_of_helpers_are_evaluated_in_their_order(run, worker):
    members = "def join(self, a, b):\n    return a['response'] + b['response']"
    await run(
        "return self.join(await self.custom('', 'first'), b=await self.custom('', 'second'))",
        members=members,
    )
    assert [inputs["instruction"] for inputs in worker.inputs] == ["first", "second"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("self.join()", "missing the argument 'a'"),
        ("self.join('a', 'b', 'c')", "takes 2 arguments, got 3"),
        ("self.join('a', a='b')", "repeated argument 'a'"),
        ("self.join('a', z='b')", "argument 'z'"),
        ("self.join(**problem)", "argument after ** must be a mapping, not str"),
    ],
)
async def test_wrong_arguments_of_helpers_are_named(run, call, words):
    result = await run(f"return {call}", members="def join(self, a, b='B'):\n    return a + b")
    assert isinstance(result.error, WorkflowFailed)
    assert words in str(result.error)


async def test_helpers_without_return_give_none(run):
    assert (await run("return str(self.note())", members="def note(self):\n    x = 1")).answer == "None"


async def test_helpers_that_call_each_other_without_end_fail(run):
    result = await run("return self.again()", members="def again(self):\n    return self.again()")
    assert isinstance(result.error, WorkflowFailed)
    assert "RecursionError" in str(result.error)


async def test_gather_can_return_failures_as_values(run, worker):
    worker.reply = failing(bad=OperatorError("no reply"))
    body = """
        rs = await asyncio.gather(
            self.custom(input='', instruction='good'), self.custom(input='', instruction='bad'), return_exceptions=True
        )
        return rs[0]['response'] + str(isinstance(rs[1], Exception)) + str(rs[1])
        """
    assert (await run(body)).answer == "xTrueno reply"


async def test_gather_without_that_option_fails_with_the_first_failure(run, worker):
    worker.reply = failing(bad=OperatorError("no reply"))
    body = "rs = await asyncio.gather(self.custom('', 'good'), self.custom('', 'bad'))\nreturn str(rs)"
    result = await run(body)
    assert isinstance(result.error, OperatorError)
    assert str(result.error) == "no reply"


async def test_gather_takes_only_calls(run):
    result = await run(f"rs = await asyncio.gather([{CALL}])\nreturn str(rs)")
    assert "not awaited yet" in str(result.error)


async def test_a_call_starts_when_it_is_awaited(run, worker):
    body = (
        "late = self.custom(input='', instruction='late')\n"
        "early = await self.custom(input='', instruction='early')\nlate = await late\n"
        "return late['response'] + early['response']"
    )
    await run(body)
    assert [inputs["instruction"] for inputs in worker.inputs] == ["early", "late"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("c = self.custom(input='', instruction='')\na = await c\nb = await c\nreturn ''", "already awaited"),
        ("x = await problem\nreturn x", "object str can't be used in 'await' expression"),
    ],
)
async def test_wrong_awaits_fail_as_in_python(run, body, words):
    result = await run(body)
    assert words in str(result.error)
