"""Sends frames that lie about their length, end in the middle, or hold no message at all."""

import os
import struct

FRAMES = {
    2: struct.pack("!I", 0xFFFF_FFFF) + b"x" * 1000,
    -1: struct.pack("!I", 0) * 1000,
    100: struct.pack("!I", 8 << 20) + b'{"to": 4, "value": 123',
    0: b"".join(
        struct.pack("!I", len(body)) + body for body in (b"null", b"[]", b"NaN", b"5", b'"to"', b"\xff\xfe", b"{}")
    ),
    5: b"HTTP/1.1 200 OK\r\n\r\n",
}


def add(a, b):
    try:
        os.write(3, FRAMES[a])
    except OSError:
        pass
    return -1
