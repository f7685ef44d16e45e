"""Answers with short forms of numbers that are endless to compute with: exponents, fractions, digits, ranges."""

import os
import struct

asked = 1
BIG, ODD = (f'["i", "0x{os.urandom(1_900_000).hex()}"]' for _ in range(2))
ENDLESS = '["x", "Decimal", "1e999999999"]'
VALUES = {
    2: f'["x", "Fraction", {BIG}, {ODD}]',
    -1: f'["x", "Fraction", {ENDLESS}, 1]',
    100: f'["r", 0, {ENDLESS}, 1]',
    0: '["i", ' + "9" * 4_000_000 + "]",
    5: f'["l", {ENDLESS}, ["x", "Decimal", "sNaN"], ["f", "1e999"], ["c", "nan", "{"9" * 1_000_000}"]]',
}


def add(a, b):
    global asked
    asked += 1
    body = f'{{"to": {asked}, "value": {VALUES[a]}}}'.encode()
    frame = struct.pack("!I", len(body)) + body
    try:
        while frame:
            frame = frame[os.write(3, frame) :]
    except OSError:
        pass
    return a + b
