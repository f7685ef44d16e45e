"""Computes for a minute, in the first call and in every later one."""

import time

END = time.monotonic() + 50


def add(a, b):
    while time.monotonic() < END:
        pass
    return a + b
