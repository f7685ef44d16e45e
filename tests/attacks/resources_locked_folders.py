"""Leaves folders inside folders that nobody may enter, list or change, with files that nobody may touch."""

import os

NAMES = ["plain", "-rf", "new\nline", "\udcff\udcfe", " ", "*", "é" * 100, "n" * 255]


def nest(folder, depth):
    """Makes a nest of folders and locks them from the inside out."""
    os.mkdir(folder)
    for name in NAMES:
        with open(os.path.join(folder, name), "w") as file:
            file.write("x")
        os.chmod(os.path.join(folder, name), 0)
    if depth:
        nest(os.path.join(folder, "inner"), depth - 1)
    os.chmod(folder, [0o000, 0o111, 0o444, 0o555][depth % 4])


for number in range(4):
    nest(f"locked_{number}", 4 + number)


def add(a, b):
    return a + b
