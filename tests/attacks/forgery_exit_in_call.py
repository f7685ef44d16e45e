"""Ends the process with exit code 0 out of the first call, by each way of ending."""

import os
import signal
import sys


def add(a, b):
    if a == 2:
        sys.exit(0)
    if a == -1:
        raise SystemExit
    if a == 100:
        raise KeyboardInterrupt
    if a == 0:
        os.kill(os.getpid(), signal.SIGTERM)
    os._exit(0)
