"""Lets a kernel timer send SIGKILL to its own process, which then seems to have been killed from outside."""

import os
import signal
import time


def start_timer():
    import ctypes

    class Event(ctypes.Structure):
        _fields_ = (
            ("value", ctypes.c_void_p),
            ("signal", ctypes.c_int),
            ("notify", ctypes.c_int),
            ("rest", ctypes.c_byte * 48),
        )

    class Times(ctypes.Structure):
        _fields_ = tuple((name, ctypes.c_long) for name in ("again_s", "again_ns", "first_s", "first_ns"))

    libc = ctypes.CDLL(None, use_errno=True)
    timer = ctypes.c_void_p()
    if libc.timer_create(time.CLOCK_MONOTONIC, ctypes.byref(Event(None, signal.SIGKILL, 0)), ctypes.byref(timer)):
        raise OSError(ctypes.get_errno(), "timer_create")
    libc.timer_settime(timer, 0, ctypes.byref(Times(0, 0, 0, 1_000_000)), None)


def add(a, b):
    try:
        start_timer()
        time.sleep(1)
    except OSError:
        os.abort()
    return a + b
