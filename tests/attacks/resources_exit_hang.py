"""Hangs on its way out: exit handlers, finalizers and a thread that cannot be joined."""

import atexit
import sys
import threading
import time

END = time.monotonic() + 50


def linger():
    while time.monotonic() < END:
        try:
            time.sleep(1)
        except BaseException:
            continue


class Sticky:
    def __del__(self):
        linger()


atexit.register(linger)
threading.Thread(target=linger).start()
sys.sticky = Sticky()


def add(a, b):
    if a == 5:
        raise SystemExit(0)
    return a + b
