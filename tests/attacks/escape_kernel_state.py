"""Leaves state for the next run in the kernel, without files: shared memory, message queues, semaphores, keys."""

import os
import platform

NUMBERS = {
    "x86_64": {
        "shmget": 29,
        "semget": 64,
        "msgget": 68,
        "shmctl": 31,
        "semctl": 66,
        "msgctl": 71,
        "mq_open": 240,
        "add_key": 248,
        "keyctl": 250,
    },
    "aarch64": {
        "shmget": 194,
        "semget": 190,
        "msgget": 186,
        "shmctl": 195,
        "semctl": 191,
        "msgctl": 187,
        "mq_open": 180,
        "add_key": 217,
        "keyctl": 219,
    },
}
KEY, CREATE, MODE, REMOVE = 0x5EC2E7, 0o1000, 0o666, 0


def reached():
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    numbers = NUMBERS.get(platform.machine(), {})
    calls = {
        "shmget": (KEY, 4096, CREATE | MODE),
        "semget": (KEY, 1, CREATE | MODE),
        "msgget": (KEY, CREATE | MODE),
        "mq_open": (b"attack", os.O_CREAT | os.O_RDWR, MODE, None),
        "add_key": (b"user", b"attack", b"left", 4, -3),
        "keyctl": (0, -3, 0),
    }
    done = []
    for name, given in calls.items():
        made = libc.syscall(numbers[name], *given) if name in numbers else -1
        if made >= 0:
            done.append(name)
            if name.endswith("get"):  # having it proves enough
                libc.syscall(numbers[name.replace("get", "ctl")], made, REMOVE, REMOVE, None)
    return done


def add(a, b):
    done = reached()
    return f"ESCAPED: {done}" if done else a + b
