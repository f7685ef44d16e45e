"""A program is graded once, also where several wait for it; failures and interruptions are not remembered."""

import asyncio

import pytest
from fake_sandbox import FakeSandbox

from flowreasoner.errors import SandboxError
from flowreasoner.sandbox import Suite
from flowreasoner_training.grpo.verdicts import GradedOnce

SUITE, OTHER = Suite.asserts(["assert f(1) == 1"], "f"), Suite.asserts(["assert f(2) == 2"], "f")


class Slow(FakeSandbox):
    async def grade(self, code, suite):
        await asyncio.sleep(0.01)
        return await super().grade(code, suite)


async def test_equal_programs_are_graded_once_per_suite():
    inner = Slow(lambda code: code == "good")
    box = GradedOnce(inner)
    verdicts = await asyncio.gather(
        *(box.grade(code, suite) for code in ("good", "bad") * 3 for suite in (SUITE, OTHER))
    )
    assert [verdict.passed for verdict in verdicts] == [True, True, False, False] * 3
    assert sorted(inner.graded) == ["bad", "bad", "good", "good"]
    assert (await box.grade("good", SUITE)).passed
    assert len(inner.graded) == 4
    assert (box.tier, box.isolated) == ("fake", True)
    await box.aclose()


async def test_a_failure_is_raised_for_all_and_not_remembered():
    class Failing(Slow):
        failures = 1

        async def grade(self, code, suite):
            if self.failures:
                await asyncio.sleep(0.01)
                self.failures -= 1
                raise SandboxError("the jail broke")
            return await super().grade(code, suite)

    box = GradedOnce(Failing())
    found = await asyncio.gather(box.grade("x", SUITE), box.grade("x", SUITE), return_exceptions=True)
    assert [str(error) for error in found] == ["the jail broke"] * 2
    assert (await box.grade("x", SUITE)).passed


async def test_who_stops_waiting_does_not_take_it_from_the_others():
    inner = Slow()
    box = GradedOnce(inner)
    first, second = (asyncio.ensure_future(box.grade("x", SUITE)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).passed
    assert inner.graded == ["x"]


async def test_closing_gives_up_what_is_under_way():
    inner = Slow()
    box = GradedOnce(inner)
    waiting = asyncio.ensure_future(box.grade("x", SUITE))
    await asyncio.sleep(0)
    await box.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert inner.graded == []


async def test_the_oldest_are_forgotten():
    inner = FakeSandbox()
    box = GradedOnce(inner, most=2)
    for code in "abca":
        await box.grade(code, SUITE)
    assert inner.graded == ["a", "b", "c", "a"]
