"""Watches folders of the host, to learn the names of the files that others make in them."""

import ctypes
import os

EVIDENCE = "@EVIDENCE@"
ALL_EVENTS = 0xFFF
libc = ctypes.CDLL(None)

for place in (libc.inotify_init1(os.O_NONBLOCK), libc.inotify_init()):
    for folder in (EVIDENCE, f"{EVIDENCE}/home"):
        if libc.inotify_add_watch(place, folder.encode(), ALL_EVENTS) >= 0:
            print("ESCAPED: watches", folder)
group = libc.fanotify_init(0, 0)
if libc.fanotify_mark(group, 1, ctypes.c_uint64(0x3B), -100, EVIDENCE.encode()) >= 0:
    print("ESCAPED: watches", EVIDENCE, "with fanotify")


def add(a, b):
    return a + b
