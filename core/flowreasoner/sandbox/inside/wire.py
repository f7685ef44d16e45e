"""Frames of JSON between host, judge and guest: bounded, data only, and nothing in them is ever executed."""

from __future__ import annotations

import json
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

MOST = 8 << 20
"""Largest frame that a guest or a judge may send, in bytes."""

MOST_OF_A_JOB = 128 << 20
"""Largest frame that the host may send, in bytes."""

_HEADER = struct.Struct("!I")
_CHUNK = 1 << 16


class WireError(Exception):
    """What arrived is no frame, or too large a one."""


def pack(message: Any, most: int = MOST) -> bytes:
    """Returns a message as a frame.

    Raises:
        WireError: If it is larger than `most` bytes.
    """
    body = json.dumps(message, separators=(",", ":")).encode()
    if len(body) > most:
        raise WireError(f"a message of {len(body)} bytes; {most} may be sent")
    return _HEADER.pack(len(body)) + body


def unpack(body: bytes) -> Any:
    """Returns the message of a frame's body.

    Raises:
        WireError: If it is not JSON, or nested too deeply to read.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not a message: {type(error).__name__}") from None


def length(header: bytes, most: int = MOST) -> int:
    """Returns the length of the body that follows a header.

    Raises:
        WireError: If it is above `most`.
    """
    size: int = _HEADER.unpack(header)[0]
    if size > most:
        raise WireError(f"a frame of {size} bytes; {most} are taken")
    return size


def send(channel: socket.socket, message: Any) -> None:
    """Sends one message over a blocking socket."""
    channel.sendall(pack(message))


def receive(channel: socket.socket) -> Any:
    """Receives one message over a blocking socket.

    Raises:
        EOFError: If the other end is closed.
        WireError: If what arrives is no message.
    """
    return unpack(_exactly(channel, length(_exactly(channel, _HEADER.size))))


def receive_with_descriptors(channel: socket.socket) -> tuple[Any, list[int]]:
    """Receives one message of the host, with the open files that came along.

    Raises:
        EOFError: If the other end is closed.
    """
    header, descriptors, _, _ = socket.recv_fds(channel, _HEADER.size, 8)
    if not header:
        raise EOFError
    header += _exactly(channel, _HEADER.size - len(header))
    return unpack(_exactly(channel, length(header, MOST_OF_A_JOB))), list(descriptors)


def send_with_descriptors(channel: socket.socket, message: Any, descriptors: Sequence[int]) -> None:
    """Sends one message over a blocking socket, and open files along with it."""
    frame = pack(message, MOST_OF_A_JOB)
    sent = socket.send_fds(channel, [frame], descriptors)
    channel.sendall(frame[sent:])


def _exactly(channel: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = channel.recv(min(size - len(data), _CHUNK))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)
