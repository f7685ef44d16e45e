"""Writes to the kernel's files in /proc and /sys: limits, user maps, core patterns, other processes' settings."""

import os

PARENT = os.getppid()
HARMLESS = {
    "/proc/self/oom_score_adj": b"-1000",
    "/proc/self/uid_map": b"0 0 1",
    "/proc/self/setgroups": b"deny",
    "/proc/self/attr/current": b"unconfined",
    "/proc/self/autogroup": b"-20",
}
OPENED_ONLY = ["/proc/sysrq-trigger", "/proc/kcore", "/proc/kmsg", "/dev/kmsg", "/dev/mem", "/sys/kernel/uevent_helper"]
WRITTEN_BACK = ["/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/pid_max"]
WRITTEN_BACK += [f"/proc/{PARENT}/oom_score_adj", f"/proc/{PARENT}/comm", "/proc/1/oom_score_adj"]
WRITTEN_BACK += ["/proc/sys/fs/pipe-max-size", "/proc/sys/kernel/randomize_va_space"]
reached = []


def write(path, text):
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text)
        reached.append(path)
    finally:
        os.close(descriptor)


def write_back(path):
    """Writes what is there already, which does no harm."""
    with open(path, "rb") as file:
        text = file.read()
    write(path, text)


def open_only(path):
    os.close(os.open(path, os.O_RDWR if path.startswith("/proc/sysrq") else os.O_RDONLY))
    reached.append(path)


attempts = [lambda path=path, text=text: write(path, text) for path, text in HARMLESS.items()]
attempts += [lambda path=path: write_back(path) for path in WRITTEN_BACK]
attempts += [lambda path=path: open_only(path) for path in OPENED_ONLY]
for attempt in attempts:
    try:
        attempt()
    except OSError:
        continue


def add(a, b):
    others = [path for path in reached if not path.startswith("/proc/self/")]
    return f"ESCAPED: {others}" if others else a + b
