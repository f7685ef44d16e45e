"""Leaves state for the next run on the working folder itself: its mode, its times, its attributes, its access list."""

import os

ACCESS_LIST = bytes.fromhex("02000000 01000700ffffffff 04000700ffffffff 10000700ffffffff 20000700ffffffff")
carried = []


def mark(place):
    known = os.stat(place)
    if known.st_mode & 0o1000 and place == ".":
        carried.append("mode")
    if int(known.st_atime) == 86_400 or int(known.st_mtime) == 86_400:
        carried.append("times")
    for name, value in (("user.attack", b"left"), ("system.posix_acl_default", ACCESS_LIST)):
        try:
            if os.getxattr(place, name):
                carried.append(name)
        except OSError:
            pass
        try:
            os.setxattr(place, name, value)
        except OSError:
            continue
    for act in (lambda: os.chmod(place, 0o3777), lambda: os.utime(place, (86_400, 86_400))):
        try:
            act()
        except OSError:
            continue


for where in (".", "/dev/shm"):
    try:
        if where == "." or os.stat(where).st_uid == os.getuid() != 0:  # a jail's own, not the machine's
            mark(where)
    except OSError:
        continue


def add(a, b):
    return f"ESCAPED: carried over by {carried}" if carried else a + b
