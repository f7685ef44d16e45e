"""Attaches to its parent and to the first process as a debugger, and reads their memory by a debugger's calls."""

import os

SEIZE, DETACH = 0x4206, 17  # which stop nobody, unlike attaching


def reached():
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    done = []
    for target in (os.getppid(), 1):
        if libc.ptrace(SEIZE, target, None, None) == 0:
            done.append(f"attached to {target}")
            libc.ptrace(DETACH, target, None, None)
        buffer = ctypes.create_string_buffer(64)
        local = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 64)
        remote = (ctypes.c_void_p * 2)(id(os), 64)  # a forked process has its objects where we have ours
        if libc.process_vm_readv(target, local, 1, remote, 1, 0) > 0:
            done.append(f"read memory of {target}")
        if f"read memory of {target}" in done and libc.process_vm_writev(target, local, 1, remote, 1, 0) > 0:
            done.append(f"wrote memory of {target}")
    return done


def add(a, b):
    done = reached()
    return f"ESCAPED: {done}" if done else a + b
