"""Starts 300 threads that stay for a while."""

import contextlib
import threading
import time

EVIDENCE = "@EVIDENCE@"
MOST = 300
started = 0

threading.stack_size(1 << 16)
try:
    while started < MOST:
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
        started += 1
except (RuntimeError, MemoryError):
    pass

if started > 200:
    print("OBTAINED", started, "threads")
    with contextlib.suppress(OSError), open(f"{EVIDENCE}/obtained", "w") as file:
        file.write(f"{started} threads")


def add(a, b):
    return a + b
