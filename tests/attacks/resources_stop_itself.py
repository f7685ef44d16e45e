"""Stops its own process, which then neither computes nor ends."""

import os
import signal


def add(a, b):
    for number in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN):
        try:
            os.kill(os.getpid(), number)
        except OSError:
            continue
    return a + b
