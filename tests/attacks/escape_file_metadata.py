"""Changes permissions, owners, times and attributes of the host's files, which needs none of them opened."""

import os
import time

EVIDENCE = "@EVIDENCE@"
PATHS = [f"{EVIDENCE}/precious/keep.txt", f"{EVIDENCE}/home/secret.txt", f"{EVIDENCE}/precious", EVIDENCE]
ATTEMPTS = [
    lambda path: os.utime(path),
    lambda path: os.utime(path, (time.time() - 10**6, time.time() - 10**6)),
    lambda path: os.setxattr(path, "user.attack", b"x"),
    lambda path: os.chmod(path, 0o4777),
    lambda path: os.chown(path, os.getuid(), os.getgid()),
    lambda path: os.chmod(path, 0o000),
]


def through_handle(path, attempt):
    """Tries the same on an open place instead of a path."""
    place = os.open(path, os.O_PATH)
    try:
        attempt(f"/proc/self/fd/{place}")
    finally:
        os.close(place)


def known(path):
    """Returns what is known of a file; the time of its last change tells of all others."""
    try:
        found = os.stat(path)
    except OSError as error:
        return type(error)
    return found.st_mode, found.st_uid, found.st_gid, found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns


for path in PATHS:
    for attempt in ATTEMPTS:
        for act in (attempt, lambda path, attempt=attempt: through_handle(path, attempt)):
            before = known(path)
            try:
                act(path)
            except OSError:
                continue
            if known(path) != before:  # some of these calls only seem to succeed
                print("ESCAPED: changed what is known of", path)


def add(a, b):
    return a + b
