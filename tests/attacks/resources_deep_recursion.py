"""Overflows the stack by recursion through C, with the interpreter's own limit lifted."""

import sys
import threading

sys.setrecursionlimit(1 << 30)


class Endless:
    def __repr__(self):
        return repr(self)


def nested(depth):
    inner = []
    for _ in range(depth):
        inner = [inner]
    return inner


def add(a, b):
    if a == 2:
        return repr(Endless())
    if a == 100:
        return nested(1_000_000) == nested(1_000_000)
    thread = threading.Thread(target=repr, args=(Endless(),))
    thread.start()
    thread.join()
    return a + b
