"""The filter of system calls: loads the program made by `scripts/seccomp.py` for this machine's architecture.

In `pure` there are threads but no processes, no programs and no sockets; a process can signal only itself,
and not with SIGKILL. `lib` adds child processes and sockets, for a jail with namespaces of its own. Where a
run shares those of the host, `shared` is as `pure`, `shared-lib` adds child processes, and neither changes
the modes, owners and times of files or watches folders.
"""

from __future__ import annotations

import ctypes
import os
import platform

__all__ = ["PROFILES", "available", "install", "load"]

PROFILES = ("pure", "lib", "shared", "shared-lib")
OWN_PID = 0x7FFF_FFF1
"""Stands in the filters for the process's own number, which each child puts in."""

_FOLDER = os.path.join(os.path.dirname(__file__), "filters")
_MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_INSTRUCTION = 8

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def path(machine: str, profile: str) -> str:
    """Returns the file of a filter."""
    return os.path.join(_FOLDER, f"{_MACHINES.get(machine, machine)}-{profile}.bpf")


def available() -> bool:
    """Tells whether there are filters for this machine's architecture."""
    return os.path.exists(path(platform.machine(), "pure"))


def load(profile: str) -> bytes:
    """Returns the filter of a profile for this machine."""
    with open(path(platform.machine(), profile), "rb") as file:
        return file.read()


def install(program: bytes) -> None:
    """Binds this process and its descendants by a filter, for good; it must have given up new privileges.

    Raises:
        OSError: If the kernel refuses it.
    """
    program = program.replace(OWN_PID.to_bytes(4, "little"), os.getpid().to_bytes(4, "little"))
    held = ctypes.create_string_buffer(program, len(program))
    described = _Program(len(program) // _INSTRUCTION, ctypes.addressof(held))
    if _libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(described), 0, 0):
        code = ctypes.get_errno()
        raise OSError(code, f"seccomp: {os.strerror(code)}")
