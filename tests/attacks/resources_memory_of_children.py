"""Splits three gigabytes of memory among child processes, each of which keeps within its own limit."""

import contextlib
import os
import time

EVIDENCE = "@EVIDENCE@"
CHILDREN, EACH_MIB = 12, 256
reading, writing = os.pipe()

for _ in range(CHILDREN):
    try:
        child = os.fork()
    except OSError:
        break
    if child == 0:
        try:
            held = bytearray(b"x") * (EACH_MIB << 20)
            os.write(writing, b".")
            time.sleep(5)
        finally:
            os._exit(0)


def add(a, b):
    return a + b


os.set_blocking(reading, False)
end, holding = time.monotonic() + 3, 0
while holding < CHILDREN and time.monotonic() < end:
    try:
        holding += len(os.read(reading, CHILDREN))
    except BlockingIOError:
        time.sleep(0.05)
if holding * EACH_MIB > 2048:
    print("OBTAINED", holding * EACH_MIB, "MiB of memory")
    with contextlib.suppress(OSError), open(f"{EVIDENCE}/obtained", "w") as file:
        file.write(f"{holding * EACH_MIB} MiB")
