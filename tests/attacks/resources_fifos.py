"""Makes as many named pipes as it can, which count as no bytes of the disk but take the kernel's memory."""

import os
import time

end = time.monotonic() + 20
os.mkdir("all")
made = 0
while time.monotonic() < end:
    try:
        os.mkfifo(f"all/{made}")
    except OSError:
        break
    made += 1


def add(a, b):
    return a + b
