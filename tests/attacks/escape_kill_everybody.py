"""Signals every process that it can name: all of them, the first one, its neighbours by number, its own threads."""

import os
import signal
import threading

MINE = os.getpid()


def few_processes():
    """Tells whether this is a jail's own small world, where killing can hurt nobody else."""
    try:
        return len([name for name in os.listdir("/proc") if name.isdigit()]) < 10
    except OSError:
        return False


def may_signal(target):
    """Tries without doing harm: signal 0 only asks."""
    try:
        os.kill(target, 0)
    except OSError:
        return False
    return True


def signalled():
    neighbours = [number for number in range(max(2, MINE - 20), MINE + 20) if number != MINE]
    reached = [target for target in (1, os.getppid(), *neighbours) if may_signal(target)]
    if few_processes():
        for target in (*reached, 1, -1):
            for number in (signal.SIGSTOP, signal.SIGKILL):
                try:
                    os.kill(target, number)
                except OSError:
                    continue
    signal.pthread_kill(threading.main_thread().ident, 0)
    return reached


def add(a, b):
    reached = signalled()
    if reached:
        print("ESCAPED: could signal", reached)
    return a + b
