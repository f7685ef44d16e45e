"""Ends its main thread alone, so that the process is neither alive nor over while another thread sleeps."""

import platform
import threading
import time


def end_this_thread():
    import ctypes

    numbers = {"x86_64": 60, "aarch64": 93}
    ctypes.CDLL(None).syscall(numbers[platform.machine()], 0)


def add(a, b):
    threading.Thread(target=time.sleep, args=(50,), daemon=True).start()
    end_this_thread()
    return a + b
