"""Trying what a tier must prevent: it is told apart from what a tier lets happen, and an open tier is not used."""

import pytest
from sandboxes import ASSERTS, DOUBLE, offered

from flowreasoner.errors import SandboxError
from flowreasoner.sandbox import Pool, best_sandbox, try_forbidden


@pytest.mark.parametrize("tier", ["jail", "landlock"])
async def test_nothing_forbidden_succeeds_in_an_isolating_tier(tier):
    async with Pool(offered(tier), workers=1) as pool:
        tried = await try_forbidden(pool)
    assert len(tried) == 4
    assert [attempt.what for attempt in tried if attempt.succeeded] == []


async def test_everything_succeeds_where_there_is_no_isolation():
    async with Pool("process", workers=1) as pool:
        assert all(attempt.succeeded for attempt in await try_forbidden(pool))


class _Open(Pool):
    """A pool that says it isolates and does not."""

    isolated = True


async def test_a_tier_that_says_it_isolates_and_does_not_refuses_to_run():
    async with _Open("process", workers=1) as pool:
        for _ in range(2):
            with pytest.raises(
                SandboxError, match="let a program read a file of yours and write beside it and connect"
            ):
                await pool.grade(DOUBLE, ASSERTS)


async def test_the_best_sandbox_isolates():
    async with best_sandbox() as sandbox:
        assert sandbox.isolated
        assert (await sandbox.grade(DOUBLE, ASSERTS)).passed
