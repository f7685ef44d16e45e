"""Lowers its own hard limit on CPU time, so that the kernel kills it in a way that looks like an outside force."""

import resource
import time

END = time.monotonic() + 20


def add(a, b):
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
    except (ValueError, OSError):
        return a + b
    while time.monotonic() < END:
        pass
    return a + b
