"""Writes to folders of the host's: new files, folders, links and pipes, and over what lies there."""

import os
import shutil

EVIDENCE = "@EVIDENCE@"
KEEP = f"{EVIDENCE}/precious/keep.txt"


def write(path, mode):
    with open(path, mode) as file:
        file.write("written from inside")


def move_in():
    write("mine", "w")
    os.rename("mine", f"{EVIDENCE}/moved")


def link_in():
    write("mine_too", "w")
    os.link("mine_too", f"{EVIDENCE}/linked")


ATTEMPTS = [
    lambda: write(f"{EVIDENCE}/written", "w"),
    lambda: write(KEEP, "a"),
    lambda: write(KEEP, "r+"),
    lambda: os.truncate(KEEP, 0),
    lambda: os.mkdir(f"{EVIDENCE}/folder"),
    lambda: os.symlink("/", f"{EVIDENCE}/symlink"),
    lambda: os.mkfifo(f"{EVIDENCE}/pipe"),
    lambda: os.mknod(f"{EVIDENCE}/node"),
    lambda: os.rename(KEEP, f"{EVIDENCE}/precious/gone.txt"),
    lambda: os.unlink(KEEP),
    move_in,
    link_in,
    lambda: shutil.copyfile(os.__file__, f"{EVIDENCE}/copied"),
    lambda: shutil.rmtree(f"{EVIDENCE}/precious"),
]

for attempt in ATTEMPTS:
    try:
        attempt()
    except OSError:
        continue


def add(a, b):
    return a + b
