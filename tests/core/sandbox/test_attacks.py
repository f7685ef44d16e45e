"""Every hostile program of tests/attacks, in every isolating tier and every way of grading."""

import asyncio

import pytest
from attacks import ATTACKS, LIMITS, Host, attempt, styles
from sandboxes import offered

from flowreasoner.sandbox import Pool

UNCOUNTED = {
    ("landlock", "resources_unlinked_files"): "docs/sandbox.md: files that are open but deleted are not counted"
}


@pytest.fixture(scope="module")
def host():
    with Host.prepared() as prepared:
        yield prepared


@pytest.fixture(scope="module", params=["jail", "landlock"])
def pool(request, host):
    made = Pool(offered(request.param), limits=LIMITS, workers=1)
    yield made
    asyncio.run(made.aclose())


@pytest.mark.slow
@pytest.mark.parametrize(("attack", "style"), [(attack, style) for attack in ATTACKS for style in styles(attack)])
async def test_an_attack_is_contained(pool, host, attack, style):
    if reason := UNCOUNTED.get((pool.tier, attack)):
        pytest.skip(reason)
    assert await attempt(pool, attack, style, host) == []
