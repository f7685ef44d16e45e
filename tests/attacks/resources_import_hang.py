"""Never finishes loading: sleeps at import, whatever is raised at it."""

import time

END = time.monotonic() + 50

while time.monotonic() < END:
    try:
        time.sleep(1)
    except BaseException:
        continue


def add(a, b):
    return a + b
