"""Claims to have changed the arguments it was given, into numbers that fit, and returns an argument as its answer."""

import json
import os
import struct

asked = 1
CHANGES = [
    {"0": 5, "1": 0},
    {"0": ["l", 5], "-1": ["h", 0, "x", "object"]},
    {"2": 5, "10000000000000000000": 1},
    {"x": 1, "": 2, "0": None},
    [["0", 5], ["1", 0]],
    5,
]


def add(a, b):
    global asked
    asked += 1
    for change in CHANGES:
        body = json.dumps({"to": asked, "value": ["a", 1], "changed": change}).encode()
        try:
            os.write(3, struct.pack("!I", len(body)) + body)
        except OSError:
            break
    return b
