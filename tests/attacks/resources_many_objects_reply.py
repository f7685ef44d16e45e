"""Answers with hundreds of thousands of references, each to another object of another class, for the judge to keep."""

import os
import struct

asked = 1
COUNT = 150_000


def reply(text):
    body = f'{{"to": {asked}, "value": ["l",{text}]}}'.encode()
    frame = struct.pack("!I", len(body)) + body
    while frame:
        frame = frame[os.write(3, frame) :]


def add(a, b):
    global asked
    asked += 1
    start = asked * COUNT
    try:
        reply(",".join(f'["h",{number},"C{number}","object"]' for number in range(start, start + COUNT)))
    except OSError:
        pass
    return a + b
