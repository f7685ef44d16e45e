"""The host's ends of what it shares with jailed processes: sockets with frames, and pipes with output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
from typing import TYPE_CHECKING, Any, BinaryIO

from flowreasoner.sandbox.inside import wire

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Channel", "Output", "content", "socket_pair"]

_CHUNK, _HEADER = 1 << 16, 4
_MOST_LEFT = 1 << 20
"""Most bytes that a pipe can hold when its writer has ended (Linux, /proc/sys/fs/pipe-max-size)."""


def socket_pair() -> tuple[Channel, socket.socket]:
    """Returns the host's end and the jail's end of a new connection."""
    ours, theirs = socket.socketpair()
    return Channel(ours), theirs


def content(data: bytes) -> BinaryIO:
    """Returns an open file with no name that holds some bytes, to hand over."""
    if hasattr(os, "memfd_create"):
        file: BinaryIO = open(os.memfd_create("content"), "r+b", buffering=0)  # noqa: PTH123, SIM115 - the caller's
    else:
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
    file.write(data)
    file.seek(0)
    return file


class Channel:
    """Frames of JSON over a socket, for the running event loop."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket, self._owner = connection, os.getpid()
        self._awaited = self._closed = False
        self._arrived = bytearray()
        connection.setblocking(False)

    def __del__(self) -> None:
        self._socket.close()  # a pool may be forgotten while a judge waits

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hangs up; who is waiting for a message learns of the end."""
        self._closed = True
        if self._owner == os.getpid():  # a copy in a forked process leaves the connection to its owner
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._close_if_left()

    def hung_up(self) -> bool:
        """Whether the other end is closed and nothing is left to read."""
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    async def send(self, message: Any, descriptors: Sequence[int] = ()) -> None:
        """Sends a message, and open files along with it.

        Raises:
            OSError: If the other end is closed.
        """
        frame = wire.pack(message, wire.MOST_OF_A_JOB)
        sent = self._send_some(frame, descriptors)
        if sent < len(frame):
            await asyncio.get_running_loop().sock_sendall(self._socket, memoryview(frame)[sent:])

    def post(self, message: Any) -> None:
        """Sends a short message at once, whoever may have stopped listening."""
        try:
            self._send_some(wire.pack(message), ())
        except OSError:
            self.close()

    def _send_some(self, frame: bytes, descriptors: Sequence[int]) -> int:
        # The socket is empty before a message, so that its beginning and the descriptors always find room.
        return socket.send_fds(self._socket, [frame], descriptors) if descriptors else self._socket.send(frame)

    async def receive(self) -> Any:
        """Receives a message; one that was awaited in vain, by a caller who gave up, is there for the next.

        Raises:
            EOFError: If the other end is closed.
            WireError: If what arrives is no message.
        """
        await self._have(_HEADER)
        size = _HEADER + wire.length(bytes(self._arrived[:_HEADER]))
        await self._have(size)
        body = bytes(self._arrived[_HEADER:size])
        del self._arrived[:size]
        return wire.unpack(body)

    async def receive_bytes(self) -> bytes:
        """Receives some bytes, none if the other end is closed."""
        while not self._closed:
            try:
                return self._socket.recv(_CHUNK)
            except BlockingIOError:
                await self._readable()
            except OSError:
                break
        return b""

    async def _have(self, size: int) -> None:
        while len(self._arrived) < size:
            chunk = await self.receive_bytes()
            if not chunk:
                raise EOFError
            self._arrived += chunk

    async def _readable(self) -> None:
        """Waits until there is something to read, and takes nothing, so that giving up loses nothing."""
        loop, number = asyncio.get_running_loop(), self._socket.fileno()
        ready = asyncio.Event()
        loop.add_reader(number, ready.set)
        self._awaited = True
        try:
            await ready.wait()
        finally:
            loop.remove_reader(number)
            self._awaited = False
            self._close_if_left()

    def _close_if_left(self) -> None:
        if self._closed and not self._awaited:
            self._socket.close()


class Output:
    """The first bytes of what jailed processes write to a pipe, read by the event loop's callbacks.

    Nothing waits for the pipe to close: when a run has ended, all that it wrote lies in the pipe, and is
    taken from there, whoever still holds the other end.

    Args:
        keep: How many bytes are kept; the rest is read and dropped.
    """

    def __init__(self, keep: int) -> None:
        self._keep, self._data, self._loop = keep, bytearray(), asyncio.get_running_loop()
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._reading: BinaryIO = open(reading, "rb", buffering=0)  # noqa: PTH123, SIM115 - closed by __exit__
        self._writing: BinaryIO = open(writing, "wb", buffering=0)  # noqa: PTH123, SIM115

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *_: object) -> None:
        self._ignore()
        self._writing.close()
        self._reading.close()

    def fileno(self) -> int:
        """The descriptor to write to."""
        return self._writing.fileno()

    def listen(self) -> None:
        """Starts to take in what is written."""
        self._loop.add_reader(self._reading, self._read)

    def text(self) -> str:
        """Returns what was written, after the end of the run."""
        for _ in range(_MOST_LEFT // _CHUNK):
            if not self._read():
                break
        return self._data.decode("utf-8", errors="replace")

    def _read(self) -> bool:
        chunk = self._reading.read(_CHUNK)  # None if nothing has come yet
        self._data += (chunk or b"")[: self._keep - len(self._data)]
        return bool(chunk)

    def _ignore(self) -> None:
        if not self._loop.is_closed():
            self._loop.remove_reader(self._reading)
