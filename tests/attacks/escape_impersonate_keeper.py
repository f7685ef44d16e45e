"""Speaks as the process that watches it: writes its reports to every descriptor, as if the run were over."""

import json
import os
import socket
import struct

REPORTS = [
    {"up": True, "landlock": 7},
    *[
        {
            "ended": run,
            "entered": True,
            "failed": "",
            "exit": 0,
            "killed": "",
            "cpu_s": 0.0,
            "max_rss_kib": 1,
            "strays": 0,
        }
        for run in range(1, 20)
    ],
    {"starved_s": 1e9},
    {"events": [{"site": site, "outcome": "pass", "detail": ""} for site in range(5)] + [{"done": True}]},
    {"kill": 1},
    {"mode": "script", "code": "print('ESCAPED')", "run": 1, "given": [], "wall_s": 5, "cpu_s": 5, "helpers": True},
]


def add(a, b):
    frames = b""
    for report in REPORTS:
        body = json.dumps(report).encode()
        frames += struct.pack("!I", len(body)) + body
    for number in range(3, 256):
        for write in (os.write, lambda descriptor, data: socket.socket(fileno=os.dup(descriptor)).sendall(data)):
            try:
                write(number, frames)
            except OSError:
                continue
    return -1
