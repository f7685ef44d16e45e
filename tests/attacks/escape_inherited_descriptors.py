"""Writes to, reads from and looks into every descriptor that its process came with."""

import fcntl
import os

EVIDENCE = "@EVIDENCE@"
reached = []


def look_into(descriptor):
    """Goes from an open folder to the host's files."""
    with open(os.open(f"{EVIDENCE}/home/secret.txt".lstrip("/"), os.O_RDONLY, dir_fd=descriptor)) as file:
        reached.append(file.read())


def leave_by(descriptor):
    """Changes to an open folder and out of it."""
    os.fchdir(descriptor)
    with open("../" * 30 + f"{EVIDENCE}/home/secret.txt".lstrip("/")) as file:
        reached.append(file.read())


def drain(descriptor):
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_NONBLOCK)
    data = os.read(descriptor, 1 << 20)
    if b"S3CR3T" in data:
        reached.append("S3CR3T")


for number in range(256):
    for act in (look_into, leave_by, lambda descriptor: os.write(descriptor, b"\xff" * 64), drain):
        if number not in {3, 4} or act in (look_into, leave_by):
            try:
                act(number)
            except (OSError, ValueError):
                continue


def add(a, b):
    for number in range(3, 256):
        try:
            os.write(number, b"\xff" * 64)
        except OSError:
            continue
    return f"ESCAPED: {reached}" if reached else a + b
