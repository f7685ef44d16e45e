"""Makes its main thread wait for a core that its own other threads hold, to be excused for the waiting."""

import hashlib
import os
import threading
import time

END = time.monotonic() + 55
DATA = bytes(1 << 24)

try:
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    os.nice(19)
except OSError:
    pass


def burn():
    while time.monotonic() < END:
        hashlib.sha512(DATA).digest()  # without the interpreter's lock


def add(a, b):
    for _ in range(40):
        try:
            threading.Thread(target=burn, daemon=True).start()
        except RuntimeError:
            break
    while time.monotonic() < END:
        time.sleep(0.0001)
    return a + b
