"""What tests of the sandbox share: which tiers this machine offers, and a simple suite."""

import os
from pathlib import Path

import pytest

from flowreasoner.sandbox import Suite, best_sandbox, missing

DOUBLE = "def f(x):\n    return 2 * x\n"
ASSERTS = Suite.asserts(["assert f(1) == 2", "assert f(2) == 4"], "f")


def offered(tier):
    """Returns the tier's name, or skips the test with the reason why this machine has not got it."""
    why = missing(tier)
    if why:
        pytest.skip(f"tier {tier}: {why}")
    return tier


def best_tier():
    """Returns the tier that `--sandbox best` takes on this machine."""
    return best_sandbox().tier


def outcomes(verdict):
    return [test.outcome for test in verdict.tests]


def details(verdict):
    return [test.detail for test in verdict.tests]


def descendants(pid=None):
    """Numbers of all processes below one, zombies included."""
    found = [pid or os.getpid()]
    for number in found:
        try:
            for task in Path(f"/proc/{number}/task").iterdir():
                found += [int(text) for text in (task / "children").read_text().split()]
        except OSError:
            continue
    return set(found[1:])


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))
