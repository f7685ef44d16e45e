"""Allocates and touches up to three gigabytes, also as private and shared mappings."""

import contextlib
import mmap

EVIDENCE = "@EVIDENCE@"
STEP = 32 << 20
MOST = 3 << 30
held = []


def by_bytes():
    return bytearray(b"x") * STEP


def by_mapping(flags):
    mapped = mmap.mmap(-1, STEP, flags)
    for start in range(0, STEP, mmap.PAGESIZE):
        mapped[start] = 1
    return mapped


def add(a, b):
    for take in (
        by_bytes,
        lambda: by_mapping(mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS),
        lambda: by_mapping(mmap.MAP_SHARED | mmap.MAP_ANONYMOUS),
    ):
        try:
            while len(held) * STEP < MOST:
                held.append(take())
        except (MemoryError, OSError, ValueError):
            continue
    if len(held) * STEP > 2 << 30:
        print("OBTAINED", len(held) * STEP >> 20, "MiB of memory")
        with contextlib.suppress(OSError), open(f"{EVIDENCE}/obtained", "w") as file:
            file.write(f"{len(held) * STEP >> 20} MiB")
    held.clear()
    return a + b
