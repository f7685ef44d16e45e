"""Opens files, pipes and sockets until there are no descriptors left, and keeps them over the answer."""

import contextlib
import os
import socket

EVIDENCE = "@EVIDENCE@"
MOST = 5000
held = []


def open_more():
    ways = [
        lambda: [os.open("/dev/null", os.O_RDONLY)],
        lambda: list(os.pipe()),
        socket.socketpair,
        lambda: [os.dup(0)],
    ]
    for way in ways:
        try:
            while len(held) < MOST:
                held.extend(way())
        except OSError:
            continue


def add(a, b):
    open_more()
    if len(held) > 1000:
        print("OBTAINED", len(held), "descriptors")
        with contextlib.suppress(OSError), open(f"{EVIDENCE}/obtained", "w") as file:
            file.write(f"{len(held)} descriptors")
    return a + b
