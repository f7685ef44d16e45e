"""Puts itself before everybody else: priorities, real-time scheduling, locked memory, and changes to its parent's."""

import os
import resource

PARENT = os.getppid()
FILES = resource.RLIMIT_NOFILE
reached = []


def try_each(attempts):
    for name, act in attempts.items():
        try:
            act()
        except (OSError, ValueError):
            continue
        reached.append(name)


try_each({
    "own priority": lambda: os.setpriority(os.PRIO_PROCESS, 0, -20),
    "real time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99)),
    "parent's priority": lambda: os.setpriority(os.PRIO_PROCESS, PARENT, os.getpriority(os.PRIO_PROCESS, PARENT)),
    "parent's scheduling": lambda: os.sched_setscheduler(PARENT, os.sched_getscheduler(PARENT), os.sched_param(0)),
    "parent's cores": lambda: os.sched_setaffinity(PARENT, os.sched_getaffinity(PARENT)),
    "parent's limits": lambda: resource.prlimit(PARENT, FILES, resource.prlimit(PARENT, FILES)),
    "more files": lambda: resource.setrlimit(FILES, (100_000, 100_000)),
    "more processes": lambda: resource.setrlimit(resource.RLIMIT_NPROC, (resource.RLIM_INFINITY,) * 2),
    "more memory": lambda: resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2),
    "larger files": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2),
    "more time": lambda: resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY,) * 2),
})  # fmt: skip


def add(a, b):
    return f"ESCAPED: {reached}" if reached else a + b
