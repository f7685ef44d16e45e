"""Answers in JSON that is nested a million deep, in lists, in objects, and in forms of values."""

import os
import struct

DEPTH = 1_000_000
BODIES = {
    2: b"[" * DEPTH,
    -1: b'{"a":' * DEPTH,
    100: b'{"to": 4, "value": ' + b'["l",' * DEPTH + b"1" + b"]" * DEPTH + b"}",
    0: b'{"to": 5, "value": ' + b'["l",' * 900 + b"1" + b"]" * 900 + b"}",
    5: b'{"to": 6, "raised": ["E", [], ' + b"[" * 990 + b"]" * 990 + b', ""]}',
}


def add(a, b):
    body = BODIES[a]
    try:
        os.write(3, struct.pack("!I", len(body)) + body)
    except OSError:
        pass
    return a + b
