"""Writes files until nothing more is taken: one of 200 MiB, then 500 MiB of smaller ones, wherever it may."""

import contextlib
import itertools
import os

EVIDENCE = "@EVIDENCE@"
CHUNK = b"\1" * (1 << 20)
numbers, calls = itertools.count(), itertools.count()
PLACES = [".", "/tmp", "/var/tmp", "/run", os.path.expanduser("~")]


def fill(place, most_mib):
    """Writes a file of its own, since two places may be one; returns how many MiB were taken."""
    written, path = 0, f"{place}/attack_{next(numbers)}"
    try:
        with open(path, "wb", buffering=0) as file:
            while written < most_mib:
                written += file.write(CHUNK) >> 20
    except OSError:
        pass
    return written


def fill_everything():
    largest = total = 0
    for place in PLACES:
        if largest <= 150:
            got = fill(place, 200)
            largest, total = max(largest, got), total + got
        for _ in range(100):
            if total >= 500:
                break
            got = fill(place, 10)
            total += got
            if not got:
                break
    return largest, total


def add(a, b):
    largest, total = fill_everything() if not next(calls) else (0, 0)
    if largest > 150 or total > 300:
        print("OBTAINED", largest, "MiB in one file and", total, "MiB in all")
        with contextlib.suppress(OSError), open(f"{EVIDENCE}/obtained", "w") as file:
            file.write(f"{largest} {total}")
    return a + b
