"""Makes folders in one folder, by two threads, until its time is over: to clear them up takes the warm process long."""

import os
import signal
import threading
import time

signal.signal(signal.SIGXCPU, signal.SIG_IGN)
end = time.monotonic() + 20


def work(number):
    base = f"all/{number}/"
    os.mkdir(base)
    made = 0
    try:
        while time.monotonic() < end:
            os.mkdir(f"{base}{made}")
            made += 1
    except OSError:
        return


os.mkdir("all")
threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()


def add(a, b):
    return a + b
