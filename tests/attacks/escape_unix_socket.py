"""Connects to a socket of the host's in the file system, and to the abstract ones that every program has."""

import os
import socket

EVIDENCE = "@EVIDENCE@"
PATH = f"{EVIDENCE}/socket"
reached = []


def connect(address, kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_UNIX, kind) as connection:
        connection.settimeout(1)
        connection.connect(address)
        connection.send(b"ESCAPED")
        reached.append(address)


def by_handle():
    place = os.open(PATH, os.O_PATH)
    connect(f"/proc/self/fd/{place}")


def by_pair():
    """Turns an end of a pair, which needs no `socket`, into a connection elsewhere."""
    left, _ = socket.socketpair()
    left.connect(PATH)
    left.send(b"ESCAPED")


def abstract_names():
    with open("/proc/net/unix") as file:
        return [f"\0{line.split('@', 1)[1].strip()}" for line in file if "@" in line]


def try_abstract():
    for name in [*abstract_names(), f"\0{PATH}", "\0/tmp/.X11-unix/X0"]:
        try:
            connect(name)
        except OSError:
            continue


SERVICES = ["/run/systemd/journal/socket", "/run/dbus/system_bus_socket", "/var/run/docker.sock", "/dev/log"]
ATTEMPTS = [lambda: connect(PATH), lambda: connect(PATH, socket.SOCK_DGRAM), by_handle, by_pair, try_abstract]
ATTEMPTS += [lambda service=service: connect(service) for service in SERVICES]

for attempt in ATTEMPTS:
    try:
        attempt()
    except OSError:
        continue


def add(a, b):
    return f"ESCAPED: connected to {reached}" if reached else a + b
