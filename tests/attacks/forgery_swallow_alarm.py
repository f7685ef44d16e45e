"""Swallows every exception and disarms every timer that could end a test, and takes longer than allowed."""

import signal
import time

END = time.monotonic() + 12

for timer, number in ((signal.ITIMER_REAL, signal.SIGALRM), (signal.ITIMER_PROF, signal.SIGPROF)):
    signal.setitimer(timer, 0)
    signal.signal(number, signal.SIG_IGN)


def add(a, b):
    while time.monotonic() < END:
        try:
            signal.setitimer(signal.ITIMER_PROF, 0)
            time.sleep(0.01)
        except BaseException:
            continue
    return -1
