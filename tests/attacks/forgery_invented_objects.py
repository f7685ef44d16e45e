"""Returns references to objects that do not exist, or are of another kind than they were, under odd names."""

import json
import os
import struct

FORMS = [
    ["h", 10**9, "Add", "object"],
    ["h", -1, "Add", "iterator"],
    ["h", 0, "add", "class"],
    ["h", True, "Add", "coroutine"],
    ["h", 0, "int", "exception", ["int"]],
    ["h", 1, "AssertionError", "exception", ["AssertionError"]],
    ["h", 2, "\x00", "object"],
    ["h", 3, "\ud800", "object"],
    ["h", 4, "N" * 1_000_000, "object"],
    ["h", 5, "E", "exception", ["KeyboardInterrupt"]],
    ["h", 6, "E", "exception", [["x"], 7]],
    ["e", 0, ["SystemExit", ["SystemExit"], [0], "0"]],
    ["e", 0, ["TestTimeout", ["KeyboardInterrupt"], [], ""]],
    ["e", 0, []],
    ["e", 0, [["x"], {"y": 1}, None, 5]],
    ["c", 0],
    ["a", 0],
    ["a", -1],
    ["a", 10**20],
    ["a", "0"],
    ["a"],
    ["y", "object"],
    ["y", "eval"],
    ["x", "eval", "1"],
    ["x"],
    ["n", "O", [1], 5],
    ["n", "f8,i4", [1], 5],
    ["n", "float64", [10**9, 10**9]],
    [["h"], 0],
    [],
    {"h": 0},
]
sent = 0


def add(a, b):
    """Sends an invented answer in the place of its own, under several numbers."""
    global sent
    for number in range(1, 60):
        body = json.dumps({"to": number, "value": FORMS[sent % len(FORMS)]}).encode()
        try:
            os.write(3, struct.pack("!I", len(body)) + body)
        except OSError:
            break
        sent += 1
    return -1
