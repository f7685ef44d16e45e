"""Starts processes past the library, by the numbers of the kernel's calls: fork, vfork, clone, clone3, execveat."""

import os
import platform
import time

MACHINE = platform.machine()
NUMBERS = {"x86_64": {"fork": 57, "clone": 56, "execveat": 322}, "aarch64": {"clone": 220, "execveat": 281}}
CLONE3, SIGCHLD = 435, 17


def attempts():
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    numbers = NUMBERS.get(MACHINE, {})
    plain = (ctypes.c_uint64 * 11)(0, 0, 0, 0, SIGCHLD)
    yield "clone3", lambda: libc.syscall(CLONE3, ctypes.byref(plain), 64)
    if "fork" in numbers:
        yield "fork", lambda: libc.syscall(numbers["fork"])
    if "clone" in numbers:
        yield "clone", lambda: libc.syscall(numbers["clone"], SIGCHLD, 0, 0, 0, 0)
        # A thread to the filter, which looks at one flag, must not be more than a thread to the kernel.
        yield "clone with a thread's flags", lambda: libc.syscall(numbers["clone"], 0x10000, 0, 0, 0, 0)
        for namespace in (0x10000000, 0x20000, 0x40000000, 0x80):
            yield (
                "clone into a namespace",
                lambda flag=namespace: libc.syscall(numbers["clone"], flag | SIGCHLD, 0, 0, 0, 0),
            )


def add(a, b):
    mine, reached = os.getpid(), []
    for name, act in attempts():
        child = act()
        if os.getpid() != mine:
            time.sleep(2)
            os._exit(0)
        if child > 0:
            reached.append(name)
    if any("namespace" in name or "thread" in name for name in reached):
        return f"ESCAPED: {reached}"
    return f"started processes by {reached}" if reached else a + b
