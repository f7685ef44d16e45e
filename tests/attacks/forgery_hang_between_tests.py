"""Hangs outside of any test's assertion, where tests that catch everything would take it for an exception."""

import time


class Hanging:
    def __bool__(self):
        time.sleep(100)

    __eq__ = __hash__ = __lt__ = __abs__ = __sub__ = __iter__ = __bool__


def add(a, b):
    return Hanging()
