"""Looks in its own memory, which began as a copy of the warm process's, for the text of programs that ran before."""

import ctypes
import os
import re

FAR = 24 << 20
PAGE = 4096
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
READING, WRITING = os.pipe()


def page(address):
    """A page if it is there; the kernel tells, by what it can write to a pipe."""
    return os.read(READING, PAGE) if libc.write(WRITING, address, PAGE) > 0 else b""


def around(address):
    first = (address & ~(PAGE - 1)) - FAR
    return b"".join(page(place) or b"\0" for place in range(first, first + 2 * FAR, PAGE))


memory = around(libc.malloc(24)) + around(id(object()))
for found in re.findall(rb"something was left [h]ere", memory):  # as the honest program between two attacks says
    print("OBTAINED: a program that ran before:", found)


def add(a, b):
    return a + b
