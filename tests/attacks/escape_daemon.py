"""Leaves a process behind, of a session and a parent of its own, which outlives the run and writes a file."""

import os
import signal
import time

EVIDENCE = "@EVIDENCE@"
STAY_S = 8


def linger():
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    os.closerange(0, 256)
    end = time.monotonic() + STAY_S
    while time.monotonic() < end:
        time.sleep(0.1)
        try:
            with open(f"{EVIDENCE}/daemon", "w") as file:
                file.write(str(os.getpid()))
        except OSError:
            continue


def detach():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            linger()
        os._exit(0)


def add(a, b):
    for _ in range(3):
        try:
            detach()
        except OSError:
            break
    return a + b
