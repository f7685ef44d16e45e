"""Loops for a minute, deaf to every signal and to every exception."""

import signal
import time

END = time.monotonic() + 50

for number in range(1, signal.NSIG):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        continue
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
    signal.setitimer(timer, 0)


def add(a, b):
    while time.monotonic() < END:
        try:
            while time.monotonic() < END:
                pass
        except BaseException:
            continue
    return a + b
