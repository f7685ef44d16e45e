"""Prints and returns bytes that break terminals, encoders and logs: NULs, lone surrogates, escapes, half characters."""

import os
import sys

TEXT = "\x00\ud800\udfff‮\x1b[2J\x1b]0;title\x07\r\n\u2028\ufeff"


def add(a, b):
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.write(TEXT * 100)
            stream.buffer.write(b"\xff\xfe\x00\xc3\xed\xa0\x80" * 100)
            stream.flush()
        except (ValueError, OSError):
            continue
    os.write(1, b"\xe2\x82")  # a character that never ends
    if a == 2:
        raise type("Odd\ud800\u202e", (Exception,), {})(TEXT)
    return {TEXT: [TEXT, TEXT.encode("utf-8", "surrogatepass")]}
