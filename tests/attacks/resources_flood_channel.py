"""Floods the connection to its tests with half a gigabyte of valid and invalid frames, from several threads."""

import os
import struct
import threading

BODY = b'{"ask": 1, "do": 0, "with": [["l"], ["d"]]}'
FRAMES = (struct.pack("!I", len(BODY)) + BODY) * 10_000


def flood():
    try:
        for _ in range(200):
            os.write(3, FRAMES)
    except OSError:
        pass


def add(a, b):
    for _ in range(4):
        threading.Thread(target=flood, daemon=True).start()
    flood()
    return a + b
