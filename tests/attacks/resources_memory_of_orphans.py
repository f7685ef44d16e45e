"""Splits three gigabytes of memory among processes that nobody counts: orphans, and children of other threads."""

import contextlib
import os
import threading
import time

EVIDENCE = "@EVIDENCE@"
PROCESSES, EACH_MIB = 12, 256
reading, writing = os.pipe()


def hold():
    try:
        held = bytearray(b"x") * (EACH_MIB << 20)
        os.write(writing, b".")
        time.sleep(4)
        held.clear()
    finally:
        os._exit(0)


def orphan():
    if os.fork() == 0:
        if os.fork() == 0:
            hold()
        os._exit(0)


def child_of_thread():
    if os.fork() == 0:
        hold()
    time.sleep(4)  # or the child would become the main thread's


for number in range(PROCESSES):
    with contextlib.suppress(OSError, RuntimeError):
        if number % 2:
            orphan()
        else:
            threading.Thread(target=child_of_thread, daemon=True).start()


def add(a, b):
    return a + b


os.set_blocking(reading, False)
end, holding = time.monotonic() + 3, 0
while holding < PROCESSES and time.monotonic() < end:
    try:
        holding += len(os.read(reading, PROCESSES))
    except BlockingIOError:
        time.sleep(0.05)
if holding * EACH_MIB > 2048:
    print("OBTAINED", holding * EACH_MIB, "MiB of memory")
    with contextlib.suppress(OSError), open(f"{EVIDENCE}/obtained", "w") as file:
        file.write(f"{holding * EACH_MIB} MiB")
