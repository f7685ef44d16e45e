"""Replaces its own program by another one, which inherits its connection to the tests."""

import os
import sys

PROGRAM = "print('another program runs'); import time; time.sleep(1)"


def add(a, b):
    for descriptor in (3, 4):
        try:
            os.set_inheritable(descriptor, True)
        except OSError:
            continue
    for path, arguments in ((sys.executable, ["python", "-c", PROGRAM]), ("/bin/echo", ["echo", "echo runs"])):
        try:
            os.execve(path, arguments, {})
        except OSError:
            continue
    return a + b
