"""Returns objects whose every method hangs, raises, recurses or returns something of the wrong type."""

import itertools
import sys
import time


class Hostile:
    def __init__(self, act):
        self.act = act

    def __getattr__(self, name):
        return self.act()


for special in "repr str format bool len hash iter next contains eq lt int float index getitem call dir".split():
    setattr(Hostile, f"__{special}__", lambda self, *given: self.act())


def exits():
    raise SystemExit(0)


def interrupts():
    raise KeyboardInterrupt


ACTS = {
    2: exits,
    -1: interrupts,
    100: lambda: time.sleep(20),
    0: lambda: "x" * 50_000_000,
    5: lambda: Hostile(ACTS[5]),
}


def add(a, b):
    sys.setrecursionlimit(100_000)
    hostile = Hostile(ACTS[a])
    return [hostile, {"key": hostile}, itertools.cycle([hostile])] if a == 100 else hostile
