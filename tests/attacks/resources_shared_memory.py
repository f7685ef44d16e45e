"""Fills the folder of shared memory with files, folders and links, and leaves them there, open and mapped."""

import mmap
import os

EVIDENCE = "@EVIDENCE@"
PLACE = "/dev/shm"
CHUNK = b"\1" * (1 << 20)
held = []


def leave_odd_things():
    os.mkdir(f"{PLACE}/folder")
    os.symlink(f"{EVIDENCE}/precious", f"{PLACE}/folder/link")
    os.symlink("/", f"{PLACE}/link")
    with open(f"{PLACE}/folder/file", "w") as file:
        file.write("x")
    os.chmod(f"{PLACE}/folder/file", 0)
    os.chmod(f"{PLACE}/folder", 0)


def fill():
    written = 0
    try:
        while written < 400:
            descriptor = os.open(f"{PLACE}/left_{written}", os.O_RDWR | os.O_CREAT, 0o600)
            held.append(descriptor)
            written += os.write(descriptor, CHUNK) >> 20
            held.append(mmap.mmap(descriptor, 1 << 20))
    except OSError:
        pass
    return written


def add(a, b):
    try:
        leave_odd_things()
    except OSError:
        pass
    if not held and fill() > 300:
        print("OBTAINED more than 300 MiB of shared memory")
    return a + b
