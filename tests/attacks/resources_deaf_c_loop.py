"""Enters loops in C that look at no signal for minutes: a sum, a power, an iterator, a regular expression."""

import itertools
import re
import signal

CALLS = [
    lambda: sum(range(10**11)),
    lambda: 3 ** (10**9),
    lambda: any(map(None.__ne__, itertools.repeat(None, 10**11))),
    lambda: re.match(r"(a|aa)+$", "a" * 80 + "b"),
    lambda: list(zip(itertools.repeat(0, 10**11), strict=False)).count(1),
]
made = 0

signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.alarm(50)  # where nothing contains it, it ends by itself


def add(a, b):
    global made
    made += 1
    CALLS[made % len(CALLS)]()
    return a + b
