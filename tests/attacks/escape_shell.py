"""Runs a command in a shell, by every function of the library that could."""

import _posixsubprocess
import os
import posix
import pty
import subprocess

EVIDENCE = "@EVIDENCE@"
COMMAND = f"echo ESCAPED > {EVIDENCE}/shell"


def by_fork():
    child = posix.fork()
    if child == 0:
        try:
            posix.execv("/bin/sh", ["sh", "-c", COMMAND])
        finally:
            posix._exit(1)
    posix.waitpid(child, 0)


def by_fork_exec():
    reading, writing = os.pipe()
    arguments = [b"sh", b"-c", COMMAND.encode()]
    _posixsubprocess.fork_exec(
        arguments, [b"/bin/sh"], True, (writing,), None, None, -1, -1, -1, -1, -1, -1, reading, writing,
        False, False, -1, None, None, None, -1, None, False,
    )  # fmt: skip


def by_libc():
    import ctypes

    ctypes.CDLL(None).system(COMMAND.encode())


WAYS = [
    lambda: os.system(COMMAND),
    lambda: os.popen(COMMAND).read(),
    lambda: subprocess.run(COMMAND, shell=True, check=False, timeout=2),
    lambda: posix.posix_spawn("/bin/sh", ["sh", "-c", COMMAND], {}),
    lambda: pty.spawn(["/bin/sh", "-c", COMMAND]),
    by_fork,
    by_fork_exec,
    by_libc,
]

for way in WAYS:
    try:
        way()
    except Exception:
        continue


def add(a, b):
    return a + b
