"""Takes away what a kernel offers: runs a program with system calls that fail, as some containers do.

refusing.py NAMES… -- COMMAND…
"""

import ctypes
import errno
import os
import struct
import sys

GROUPS = {
    "namespaces": [272, 165, 155, 308],  # unshare, mount, pivot_root, setns: numbers of x86_64
    "landlock": [444, 445, 446],
}
CLONE, NAMESPACES = 56, 0x7E020080
LOAD, EQUAL, ANY, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, ERRNO = 0x7FFF_0000, 0x0005_0000


def refuse(names):
    """Binds this process and its descendants by a filter that refuses the named groups."""
    program = [(LOAD, 0, 0, 0)]
    for name in names:
        code = ERRNO | (errno.ENOSYS if name == "landlock" else errno.EPERM)
        for number in GROUPS[name]:
            program += [(EQUAL, 0, 1, number), (RETURN, 0, 0, code)]
        if name == "namespaces":
            program += [
                (EQUAL, 0, 3, CLONE),
                (LOAD, 0, 0, 16),
                (ANY, 0, 1, NAMESPACES),
                (RETURN, 0, 0, code),
                (LOAD, 0, 0, 0),
            ]
    program.append((RETURN, 0, 0, ALLOW))
    raw = b"".join(struct.pack("<HBBI", *instruction) for instruction in program)
    libc = ctypes.CDLL(None, use_errno=True)
    held = ctypes.create_string_buffer(raw, len(raw))
    described = struct.pack("@HP", len(program), ctypes.addressof(held))
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, described, 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")


if __name__ == "__main__":
    cut = sys.argv.index("--")
    refuse(sys.argv[1:cut])
    os.execvp(sys.argv[cut + 1], sys.argv[cut + 1 :])
