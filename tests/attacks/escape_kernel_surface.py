"""Calls parts of the kernel that no program under test needs and that attacks on kernels begin with."""

import contextlib
import ctypes
import os
import platform

NOWHERE = ctypes.c_void_p(0)
SHARED = {  # the same on both architectures, or newer than their differences
    "io_uring_setup": (425, 4, ctypes.create_string_buffer(256)),
    "pidfd_open": (434, 1, 0),
    "pidfd_getfd": (438, 0, 0, 0),
    "open_tree": (428, -100, b"/", 1),
    "fsopen": (430, b"tmpfs", 0),
    "memfd_secret": (447, 0),
    "process_madvise": (440, 0, NOWHERE, 0, 0, 0),
    "quotactl_fd": (443, 0, 0, 0, NOWHERE),
    "mount_setattr": (442, -100, b"/", 0, NOWHERE, 0),
    "set_mempolicy_home_node": (450, 0, 0, 0, 0),
    "map_shadow_stack": (453, 0, 4096, 0),
}
BY_MACHINE = {
    "x86_64": {
        "bpf": (321, 0, ctypes.create_string_buffer(128), 128),
        "perf_event_open": (298, ctypes.create_string_buffer(b"\0\0\0\0\x70", 112), 0, -1, -1, 0),
        "userfaultfd": (323, 1),
        "keyctl": (250, 0, -3, 0),
        "memfd_create": (319, b"attack", 0),
        "process_vm_readv": (310, 1, NOWHERE, 0, NOWHERE, 0, 0),
        "mount": (165, NOWHERE, NOWHERE, NOWHERE, 0, NOWHERE),
        "ptrace": (101, 0, 0, NOWHERE, NOWHERE),
        "personality": (135, 0xFFFF_FFFF),
        "modify_ldt": (154, 0, NOWHERE, 0),
        "iopl": (172, 3),
        "init_module": (175, NOWHERE, 0, b""),
        "kcmp": (312, 1, 1, 0, 0, 0),
        "syslog": (103, 3, ctypes.create_string_buffer(64), 64),
        "open_by_handle_at": (304, -100, ctypes.create_string_buffer(64), 0),
        "seccomp": (317, 2, 0, ctypes.create_string_buffer(8)),
        "fanotify_init": (300, 0, 0),
        "clock_settime": (227, 0, NOWHERE),
        "vmsplice": (278, -1, NOWHERE, 0, 0),
        "move_pages": (279, 1, 0, NOWHERE, NOWHERE, NOWHERE, 0),
    },
    "aarch64": {
        "bpf": (280, 0, ctypes.create_string_buffer(128), 128),
        "userfaultfd": (282, 1),
        "keyctl": (219, 0, -3, 0),
        "memfd_create": (279, b"attack", 0),
        "mount": (40, NOWHERE, NOWHERE, NOWHERE, 0, NOWHERE),
    },
}
REFUSED = {1, 38}  # not permitted, no such call


def reachable():
    libc = ctypes.CDLL(None, use_errno=True)
    found = []
    for name, (number, *given) in {**SHARED, **BY_MACHINE.get(platform.machine(), {})}.items():
        ctypes.set_errno(0)
        result = libc.syscall(number, *given)
        if result >= 0 or ctypes.get_errno() not in REFUSED:
            found.append(name)
            if result > 4:
                with contextlib.suppress(OSError):
                    os.close(result)
    return found


def add(a, b):
    found = reachable()
    return f"ESCAPED: the kernel answers {found}" if found else a + b
