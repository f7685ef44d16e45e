"""Writes where later interpreters load from: the standard library, site-packages, `.pth` files, caches, programs."""

import os
import site
import sys
import sysconfig

EVIDENCE = "@EVIDENCE@"
FOLDERS = {os.path.dirname(os.__file__), *site.getsitepackages(), *sys.path, *sysconfig.get_paths().values()}
FOLDERS |= {site.getusersitepackages(), os.path.dirname(sys.executable), "/opt/flowreasoner/inside"}
reached = []


def new_file(folder):
    """Makes a harmless start-up file, and takes it away again."""
    path = os.path.join(folder, "attack_of_a_test.pth")
    with open(path, "w") as file:
        file.write("# poisoned\n")
    reached.append(path)
    os.unlink(path)


def old_file(path):
    """Opens a file for writing and leaves it as it is."""
    with open(path, "r+b"):
        reached.append(path)


def new_place(folder):
    os.mkdir(os.path.join(folder, "__pycache__", "attack"))
    reached.append(folder)
    os.rmdir(os.path.join(folder, "__pycache__", "attack"))


targets = [(new_file, folder) for folder in FOLDERS if folder] + [(new_place, os.path.dirname(os.__file__))]
targets += [(old_file, path) for path in (os.__file__, sys.executable, "/etc/ld.so.cache", "/usr/bin/env")]
for act, target in targets:
    try:
        act(target)
    except OSError:
        continue

if reached:
    print("ESCAPED: could write", reached)
    try:
        with open(f"{EVIDENCE}/poisoned", "w") as file:
            file.write("\n".join(reached))
    except OSError:
        pass


def add(a, b):
    return a + b
