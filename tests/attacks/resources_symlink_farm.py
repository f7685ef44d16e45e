"""Leaves links to folders of the host, to each other and to themselves, in the hope that clearing up follows one."""

import os

EVIDENCE = "@EVIDENCE@"
TARGETS = [f"{EVIDENCE}/precious", f"{EVIDENCE}/precious/keep.txt", EVIDENCE, "/", "/proc/self/root", "..", ".", "loop"]


def plant(folder):
    for number, target in enumerate(TARGETS):
        os.symlink(target, f"{folder}/link_{number}")
        os.mkdir(f"{folder}/folder_{number}")
        os.symlink(target, f"{folder}/folder_{number}/link")
    os.symlink("loop", f"{folder}/loop")
    os.symlink("second", f"{folder}/first")
    os.symlink("first", f"{folder}/second")


os.mkdir("deep")
os.chmod("deep", 0o700)
for place in (".", "deep"):
    try:
        plant(place)
    except OSError:
        continue


def add(a, b):
    return a + b
