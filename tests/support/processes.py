"""Starts a helper script as a process, and kills it when something has happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["kill_when", "start_script"]


def start_script(name: str, *args: Any) -> subprocess.Popen[str]:
    """Starts a script of this folder, with this process's import path."""
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name(name)), *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def kill_when(process: subprocess.Popen[str], happened: Callable[[], bool], seconds: float = 240) -> None:
    """Kills a process with SIGKILL as soon as `happened`; it must not have ended by then."""
    deadline = time.monotonic() + seconds
    while not happened():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"it did not happen: {process.communicate()[0]}")
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
