"""Makes namespaces of its own, in which it would be root, enters other ones, and mounts folders over its own."""

import os

NAMESPACES = {"user": 0x10000000, "mount": 0x20000, "process": 0x20000000, "network": 0x40000000, "time": 0x80}
PLACE, BIND, DETACH = "attack_mount", 4096, 2


def reached():
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    done = [f"a {name} namespace" for name, flag in NAMESPACES.items() if libc.unshare(flag) == 0]
    if libc.unshare(NAMESPACES["user"] | NAMESPACES["mount"]) == 0:
        done.append("a user and mount namespace")
    os.makedirs(PLACE, exist_ok=True)
    for name, source, kind, flags in (("mount", b"none", b"tmpfs", 0), ("bind mount", b"/", None, BIND)):
        if libc.mount(source, PLACE.encode(), kind, flags, None) == 0:
            done.append(name)
            libc.umount2(PLACE.encode(), DETACH)
    if libc.chroot(b".") == 0:
        done.append("chroot")
    for number in (1, os.getppid()):
        for kind in ("mnt", "net", "user", "pid"):
            try:
                descriptor = os.open(f"/proc/{number}/ns/{kind}", os.O_RDONLY)
            except OSError:
                continue
            if libc.setns(descriptor, 0) == 0:
                done.append(f"the {kind} namespace of {number}")
    return done


def add(a, b):
    done = reached()
    return f"ESCAPED: {done}" if done else a + b
