"""Leaves state for the next run in files, and looks for what the last one left."""

import os

NAME = ".left_by_an_attack"
PLACES = [
    ".",
    "/tmp",
    "/dev/shm",
    "/var/tmp",
    "/run",
    "/workspace",
    os.path.expanduser("~"),
    os.path.dirname(__file__) or ".",
]


PATHS = [os.path.join(place, NAME) for place in PLACES]
FOUND = [path for path in PATHS if os.path.exists(path)]

for path in PATHS:
    try:
        with open(path, "w") as file:
            file.write("left")
        os.chmod(path, 0o444)
    except OSError:
        continue


def add(a, b):
    return f"ESCAPED: carried over in {FOUND}" if FOUND else a + b
