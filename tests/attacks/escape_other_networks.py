"""Tries what is not TCP: datagrams, raw packets, netlink, virtual machine sockets, and names of the domain system."""

import os
import socket

PORT = int("@PORT@")
KINDS = [
    ("AF_INET", socket.SOCK_RAW, 1),
    ("AF_NETLINK", socket.SOCK_RAW, 0),
    ("AF_NETLINK", socket.SOCK_RAW, 16),
    ("AF_PACKET", socket.SOCK_RAW, 0x300),
    ("AF_VSOCK", socket.SOCK_STREAM, 0),
    ("AF_ALG", socket.SOCK_SEQPACKET, 0),
    ("AF_BLUETOOTH", socket.SOCK_RAW, 1),
    ("AF_CAN", socket.SOCK_RAW, 1),
]
reached = []


def try_vsock():
    """Asks the hypervisor's side."""
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as connection:
        connection.settimeout(0.2)
        connection.connect((2, PORT))
        reached.append("a virtual machine socket")


def try_datagram():
    """Asks a name server for an address."""
    question = b"\0\1\1\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(0.2)
        for server in ("127.0.0.53", "169.254.169.254", "8.8.8.8"):
            connection.sendto(question, (server, 53))
        if connection.recv(512):
            reached.append("a name server")


def try_name():
    if socket.getaddrinfo("example.com", 80):
        reached.append("the domain system")


for attempt in (try_vsock, try_datagram, try_name):
    try:
        attempt()
    except (OSError, AttributeError):
        continue

if os.path.isdir("/proc/net"):
    try:
        with open("/proc/net/dev") as file:
            devices = [line.split(":")[0].strip() for line in file if ":" in line]
        reached += [device for device in devices if device != "lo"]
    except OSError:
        pass

for family, kind, protocol in KINDS:
    try:
        opened = socket.socket(getattr(socket, family), kind, protocol)
    except (OSError, AttributeError):
        continue
    opened.close()
    print("opened a socket of", family)


def add(a, b):
    return f"ESCAPED: reached {reached}" if reached else a + b
