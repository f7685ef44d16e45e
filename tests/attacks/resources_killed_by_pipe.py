"""Has the kernel send SIGKILL to its own process when a pipe becomes ready, as if somebody else had killed it."""

import fcntl
import os
import signal
import time


def add(a, b):
    reading, writing = os.pipe()
    try:
        fcntl.fcntl(reading, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(reading, getattr(fcntl, "F_SETSIG", 10), signal.SIGKILL)
        fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        os.write(writing, b"x")
        time.sleep(0.5)
    except OSError:
        pass
    return a + b
