"""Answers with sets and dictionaries whose keys all fall on the same hash, which takes quadratic time to build."""

import os
import struct

MODULUS = (1 << 61) - 1
COUNT = 300_000
NUMBERS = ",".join(str(MODULUS * factor) for factor in range(1, COUNT))
asked = 1


def reply(value):
    body = f'{{"to": {asked}, "value": {value}}}'.encode()
    frame = struct.pack("!I", len(body)) + body
    while frame:
        frame = frame[os.write(3, frame) :]


def add(a, b):
    global asked
    asked += 1
    try:
        reply(f'["s",{NUMBERS}]' if a != -1 else f'["k",{NUMBERS}]')
    except OSError:
        pass
    return a + b
