"""Puts itself under a filter of system calls that kills it for the next thing it does."""

import ctypes
import os

STRICT, FILTER, SET_SECCOMP = 1, 2, 22
KILL_PROCESS, KILL_THREAD = 0x8000_0000, 0


def add(a, b):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(SET_SECCOMP, STRICT, 0, 0, 0)
    action = KILL_PROCESS if a == 2 else KILL_THREAD
    instruction = ctypes.create_string_buffer((6).to_bytes(2, "little") + bytes(2) + action.to_bytes(4, "little"))
    program = (1).to_bytes(8, "little") + ctypes.addressof(instruction).to_bytes(8, "little")
    libc.prctl(SET_SECCOMP, FILTER, ctypes.create_string_buffer(program), 0, 0)
    os.getppid()
    return a + b
