"""Landlock: what a process may do with files, the network and other processes, decided by the kernel.

Three system calls, by number, since no C library wraps them. Their numbers are the same on every
architecture. A ruleset is made once, in the warm process, and each child binds itself by it.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["abi", "restrict", "ruleset"]

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION, _BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15  # also truncate, and ioctl of devices
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # how many there are, by version of the interface
_NETWORK = 3  # bind and connect of TCP, since version 4
_SCOPES = 3  # abstract sockets and signals, since version 6

_OUT_OF_THE_WAY = 100  # a child puts other things at the low descriptors

_libc = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def abi() -> int:
    """Returns the version of the kernel's interface, 0 where there is none."""
    return max(0, int(_libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))))


def ruleset(readable: Iterable[str], writable: Iterable[str], *, network: bool, execute: bool) -> int:
    """Makes a ruleset: all is forbidden but what is named.

    Args:
        readable: Files and folders that may be read and executed.
        writable: Folders in which everything is allowed.
        network: Whether connections are left to other layers.
        execute: Whether files in writable folders may be executed.

    Returns:
        Descriptor of the ruleset.

    Raises:
        OSError: If the kernel has no Landlock.
    """
    version = abi()
    if not version:
        raise OSError(errno.ENOSYS, "the kernel has no Landlock, or it is not enabled")
    everything = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    attributes = _Attributes(everything, 0 if network or version < 4 else _NETWORK, _SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    made = _call(_CREATE, ctypes.byref(attributes), ctypes.c_size_t(size), ctypes.c_uint32(0))
    rules = fcntl.fcntl(made, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY)
    os.close(made)
    for path in readable:
        _allow(rules, path, _READ)
    for path in ("/dev/null", "/dev/zero", "/dev/full"):
        _allow(rules, path, everything)
    for path in writable:
        _allow(rules, path, everything if execute else everything & ~_EXECUTE)
    return rules


def restrict(rules: int) -> None:
    """Binds this process and its descendants by a ruleset, for good; it must have given up new privileges."""
    _call(_RESTRICT, ctypes.c_int(rules), ctypes.c_uint32(0))


def _allow(rules: int, path: str, rights: int) -> None:
    """Adds a rule for what lies at and below a path, if it exists."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        allowed = rights if os.path.isdir(path) else rights & _OF_FILES
        rule = _Beneath(allowed & ((1 << _FILE_RIGHTS.get(abi(), 16)) - 1), place)
        _call(_ADD, ctypes.c_int(rules), ctypes.c_uint32(_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0))
    finally:
        os.close(place)


def _call(number: int, *args: object) -> int:
    result = int(_libc.syscall(ctypes.c_long(number), *args))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock: {os.strerror(code)}")
    return result
