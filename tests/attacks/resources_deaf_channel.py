"""Takes its connection apart: half closed, tiny buffers, never read, so that whoever writes to it waits."""

import os
import socket
import time

END = time.monotonic() + 50


def add(a, b):
    try:
        channel = socket.socket(fileno=os.dup(3))
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        channel.settimeout(0)
        if a == 2:
            channel.shutdown(socket.SHUT_WR)
        elif a == -1:
            channel.shutdown(socket.SHUT_RD)
    except OSError:
        pass
    while time.monotonic() < END and a in {2, 100}:
        time.sleep(0.1)
    return a + b
