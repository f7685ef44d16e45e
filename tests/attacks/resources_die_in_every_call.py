"""Ends its process in another way in every call, to be started anew again and again."""

import os
import resource
import signal
import sys
import threading

WAYS = {
    2: lambda: os._exit(0),
    -1: lambda: signal.raise_signal(signal.SIGTERM),
    100: lambda: signal.raise_signal(signal.SIGRTMAX),
    0: lambda: (resource.setrlimit(resource.RLIMIT_AS, (1, 1)), bytearray(1 << 28)),
    5: lambda: sys.exit("enough"),
}


def add(a, b):
    thread = threading.Thread(target=WAYS[a])
    thread.start()
    WAYS[a]()
    return a + b
