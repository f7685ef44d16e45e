"""Reads a file of the user's, by its path and by every detour to it."""

import io
import os
import shutil
import socket

EVIDENCE = "@EVIDENCE@"
PORT = int("@PORT@")
SECRET = f"{EVIDENCE}/home/secret.txt"


def by_link(make):
    make(SECRET, "detour")
    with open("detour") as file:
        return file.read()


def by_parents():
    with open("../" * 40 + SECRET.lstrip("/")) as file:
        return file.read()


def by_folder():
    folder = os.open(f"{EVIDENCE}/home", os.O_PATH | os.O_DIRECTORY)
    with open(os.open("secret.txt", os.O_RDONLY, dir_fd=folder)) as file:
        return file.read()


def by_handle():
    place = os.open(SECRET, os.O_PATH)
    with open(f"/proc/self/fd/{place}") as file:
        return file.read()


def by_copy():
    shutil.copyfile(SECRET, "copy")
    with open("copy") as file:
        return file.read()


def by_rename():
    os.rename(SECRET, "renamed")
    with open("renamed") as file:
        return file.read()


def by_process(number):
    with open(f"/proc/{number}/root{SECRET}") as file:
        return file.read()


WAYS = [
    lambda: open(SECRET).read(),
    lambda: io.FileIO(SECRET).readall().decode(),
    lambda: open(os.path.expanduser("~/secret.txt")).read(),
    lambda: by_link(os.symlink),
    lambda: by_link(os.link),
    by_parents,
    by_folder,
    by_handle,
    by_copy,
    by_rename,
    lambda: by_process("self"),
    lambda: by_process(1),
    lambda: by_process(os.getppid()),
]


def found():
    for way in WAYS:
        try:
            text = way()
        except OSError:
            continue
        if "S3CR3T" in text:
            return text
    return ""


def leak(secret):
    try:
        with open(f"{EVIDENCE}/leak", "w") as file:
            file.write(secret)
    except OSError:
        pass
    try:
        with socket.create_connection(("127.0.0.1", PORT), timeout=1) as connection:
            connection.sendall(secret.encode())
    except OSError:
        pass


secret = found()
if secret:
    leak(secret)


def add(a, b):
    return secret or a + b
