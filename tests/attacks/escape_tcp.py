"""Connects to a TCP port of the host's, by every address of the machine and through libc."""

import _socket
import asyncio
import socket
import urllib.request

PORT = int("@PORT@")
HOSTS = ["127.0.0.1", "localhost", "0.0.0.0", "::ffff:127.0.0.1", "127.1.2.3", socket.gethostname()]


def by_c_module(host):
    connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    connection.settimeout(1)
    connection.connect((host, PORT))
    connection.send(b"ESCAPED")


def by_asyncio(host):
    async def connect():
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection(host, PORT)
            writer.write(b"ESCAPED")
            await writer.drain()

    asyncio.run(connect())


def by_libc(host):
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    address = (2).to_bytes(2, "little") + PORT.to_bytes(2, "big") + socket.inet_aton(host) + bytes(8)
    made = libc.socket(2, 1, 0)
    if made >= 0 and libc.connect(made, address, len(address)) == 0:
        libc.send(made, b"ESCAPED", 7, 0)


WAYS = [
    lambda host: socket.create_connection((host, PORT), timeout=1).sendall(b"ESCAPED"),
    by_c_module,
    by_asyncio,
    by_libc,
    lambda host: urllib.request.urlopen(f"http://{host}:{PORT}/ESCAPED", timeout=1),
]

for host in HOSTS:
    for way in WAYS:
        try:
            way(host)
        except Exception:
            continue


def add(a, b):
    return a + b
