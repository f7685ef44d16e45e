"""Asks the judge to call functions of the tests that it was never given, and things that are no functions."""

import json
import os
import struct

NUMBERS = [0, -1, 1, 10**30, True, None, 0.0, "exit", "__import__", ["c", 0], {"name": "eval"}, "name", "call"]
GIVEN = [[["l"], ["d"]], [["l", "1/0"], ["d"]], [], None, "x", [["l"], ["d", "key", 1]], [["h", 0], ["c", 0]]]


def send(message):
    body = json.dumps(message).encode()
    os.write(3, struct.pack("!I", len(body)) + body)


def add(a, b):
    for number in NUMBERS:
        for given in GIVEN:
            try:
                send({"ask": 1, "do": number, "with": given})
                send({"ask": [number], "test": 0, "to": 1, "value": 5})
            except OSError:
                return -1
    return -1
