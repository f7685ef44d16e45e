"""Starts 150 processes that stay for a while, by every way of starting one."""

import _posixsubprocess
import contextlib
import multiprocessing
import os
import posix
import subprocess
import sys
import time

EVIDENCE = "@EVIDENCE@"
MOST = 150
STAY_S = 5


def stay():
    time.sleep(STAY_S)
    os._exit(0)


def by_fork(fork):
    if fork() == 0:
        stay()


def by_forkpty():
    if os.forkpty()[0] == 0:
        stay()


def by_exec():
    subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({STAY_S})"])


def by_spawn():
    posix.posix_spawn("/bin/sleep", ["sleep", str(STAY_S)], {})


def by_hand():
    reading, writing = os.pipe()
    path = os.fsencode("/bin/sleep")
    given = [[path, str(STAY_S).encode()], [path], True, (writing,), None, None, *[-1] * 6, reading, writing]
    given += [False, False, -1, None, None, None, -1, None]
    _posixsubprocess.fork_exec(*given)


def by_multiprocessing():
    multiprocessing.get_context("fork").Process(target=stay).start()


def bomb():
    started = 0
    for start in (lambda: by_fork(os.fork), by_forkpty, by_exec, by_spawn, by_hand, by_multiprocessing):
        try:
            while started < MOST:
                start()
                started += 1
        except Exception:
            continue
    return started


def add(a, b):
    return a + b


processes = bomb()
if processes > 100:
    print("OBTAINED", processes, "processes")
    with contextlib.suppress(OSError), open(f"{EVIDENCE}/obtained", "w") as file:
        file.write(f"{processes} processes")
