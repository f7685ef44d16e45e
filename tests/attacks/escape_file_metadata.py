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


for path in PATHS:
    for attempt in ATTEMPTS:
        for act in (attempt, lambda path, attempt=attempt: through_handle(path, attempt)):
            try:
                act(path)
            except OSError:
                continue
            print("ESCAPED: changed what is known of", path)


def add(a, b):
    return a + b
