"""The warm process of a jail: it forks a child for each run, watches it, and clears up after it.

It never holds what a run brings: a child inherits all that lies here, so that programs and tests are read, compiled
and executed in children only.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import mmap
import os
import signal
import socket
import sys
import time
import traceback
from typing import TYPE_CHECKING

from . import wire
from .confine import Confinement, become_keeper
from .folders import MOST_FILES, empty, files_and_bytes, unpack
from .watch import Watch

if TYPE_CHECKING:
    from typing import Any, NoReturn

_CLEAR_S = 0.5  # what takes longer to remove is left to the host, which throws the jail away
_MOST_CLEARED = 2_000
_PLACES = {"stdin": 0, "stdout": 1, "stderr": 2, "channel": 3, "second": 4, "job": 5}


def main() -> None:
    """Serves the host until it hangs up."""
    with open(int(sys.argv[1]), encoding="utf-8") as file:  # what is in a command line, everybody can read
        config = json.load(file)
    control = socket.socket(fileno=config["control"])
    if config["tier"] == "jail" and os.readlink("/proc/self/ns/pid") == config["host_pid_namespace"]:
        raise SystemExit("the jail has no process namespace of its own")
    for name in config["preimport"]:
        importlib.import_module(name)
    if config["uid"] is not None:
        for folder in config["writable"]:
            with contextlib.suppress(OSError):
                os.chown(folder, config["uid"], config["uid"])
    keeper = Keeper(config, control)
    become_keeper()
    _open_standard_streams()
    gc.collect()
    gc.freeze()
    wire.send(control, {"up": True, "landlock": keeper.confinement.landlock_abi})
    keeper.serve()


class Keeper:
    """Runs one job after another.

    Args:
        config: What the host said about the jail.
        control: Connection to the host.
    """

    def __init__(self, config: dict[str, Any], control: socket.socket) -> None:
        self._config, self._control = config, control
        self._in_jail = config["tier"] == "jail"
        self.confinement = Confinement(config)
        self._entered = mmap.mmap(-1, mmap.PAGESIZE)  # shared with the child until it runs anything

    def serve(self) -> None:
        """Runs jobs until the host hangs up."""
        os.chdir(self._config["writable"][0])
        while True:
            try:
                job, descriptors = wire.receive_with_descriptors(self._control)
            except EOFError:
                return
            if "mode" in job:  # anything else came too late for its run
                _warm_up(job["mode"])
                gc.freeze()  # what is here now, no child's collector needs to look at, and so to copy
                self._run(job, descriptors)

    def _run(self, job: dict[str, Any], descriptors: list[int]) -> None:
        self.confinement.before_fork()
        self._entered[:] = bytes(mmap.PAGESIZE)
        child = os.fork()
        if child == 0:
            self._begin(job, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        holds_too_much = self._holds_too_many_files if self._in_jail else self._holds_too_much
        watch = Watch(child, job, self._config["limits"], holds_too_much)
        try:
            killed = watch.until_end(self._control)
        except EOFError:
            watch.kill()
            self._clear(child)
            raise SystemExit from None
        _, status, used = os.wait4(child, 0)
        report = {
            "ended": job["run"],
            "entered": bool(self._entered[0]),
            "failed": self._entered[1:].partition(b"\0")[0].decode(errors="replace"),
            "exit": os.waitstatus_to_exitcode(status),
            "killed": killed,
            "cpu_s": used.ru_utime + used.ru_stime,
            "spoiled": not self._clear(child),
        }
        wire.send(self._control, report)

    def _begin(self, job: dict[str, Any], descriptors: list[int]) -> NoReturn:
        """In the child: arranges what it is given, binds it, and runs the job."""
        try:
            os.setsid()
            _arrange(dict(zip(job["given"], descriptors, strict=True)))
            self.confinement.enter(helpers=job["helpers"])
            os.closerange(max(_PLACES.values()) + 1, 4096)
            self._entered[0] = 1
            self._entered.close()
        except BaseException as error:
            why = f"{type(error).__name__}: {error}".encode(errors="replace")[: mmap.PAGESIZE - 2]
            self._entered[1 : 1 + len(why)] = why
            os._exit(1)
        code = 1
        try:
            with open(_PLACES["job"], "rb") as file:
                job = json.load(file)
            _perform(job)
            code = 0
        except BaseException:
            with contextlib.suppress(BaseException):
                traceback.print_exc()
        os._exit(code)

    def _clear(self, child: int) -> bool:
        """Ends what the run left running, empties its folders, and returns whether that was possible."""
        for _ in range(1000):
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    continue
            except ChildProcessError:
                break
            self._kill_all(child)
            time.sleep(0.001)
        else:
            return False
        if self._files() > _MOST_CLEARED:
            return False
        until = time.monotonic() + _CLEAR_S
        try:
            return [empty(folder, until) for folder in self._config["writable"]].count(False) == 0
        except (OSError, RecursionError):
            return False

    def _files(self) -> int:
        """Returns how many files and folders the run's folders hold."""
        if not self._in_jail:
            return files_and_bytes(self._config["writable"][0])[0]
        held = [os.statvfs(folder) for folder in self._config["writable"]]
        return sum(found.f_files - found.f_ffree for found in held)

    def _holds_too_many_files(self) -> str:
        """Says what a run has too much of in a jail, whose file systems have a size of their own."""
        return "files" if self._files() > MOST_FILES else ""

    def _holds_too_much(self) -> str:
        """Says what a run has too much of in a folder of the host's."""
        files, size = files_and_bytes(self._config["writable"][0])
        if size > self._config["limits"]["disk_mib"] << 20:
            return "disk"
        return "files" if files > MOST_FILES else ""

    def _kill_all(self, child: int) -> None:
        if self._config["tier"] == "jail":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(-1, signal.SIGKILL)  # everything in this process namespace but ourselves
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        for orphan in _children():  # what left its group became ours when its parent ended
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(orphan, signal.SIGKILL)


def _arrange(given: dict[str, int]) -> None:
    """Puts what the child is given at its places, the null device at the other standard ones, and nothing elsewhere."""
    high = {name: os.dup2(descriptor, 200 + number) for number, (name, descriptor) in enumerate(given.items())}
    null = os.open(os.devnull, os.O_RDWR)
    for name, place in _PLACES.items():
        if name in high:
            os.dup2(high[name], place, inheritable=place < 3)
        elif place < 3:
            os.dup2(null, place)
        else:
            with contextlib.suppress(OSError):
                os.close(place)


def _open_standard_streams() -> None:
    """Makes the streams that every child finds, over whatever then lies at their descriptors."""
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1)  # noqa: SIM115


def _warm_up(mode: str) -> None:
    """Loads, here and once, what children of this kind need; no more, as each child pays for it.

    Nothing of the job itself: what lies in this process, every later child could find in its own copy.
    """
    match mode:
        case "judge":
            from . import judge, unittests  # noqa: F401
        case "judges":
            from . import judge  # noqa: F401
        case "unittest":
            from . import in_process  # noqa: F401
        case "command":
            import tarfile  # noqa: F401
        case _:
            from . import guest  # noqa: F401


def _perform(job: dict[str, Any]) -> None:
    match job["mode"]:
        case "calls":
            from .guest import serve_calls

            serve_calls(job, socket.socket(fileno=3))
        case "judge":
            from .judge import judge

            judge(job, socket.socket(fileno=3), socket.socket(fileno=4))
        case "judges":
            from .judge import judge_many

            judge_many(socket.socket(fileno=3))
        case "unittest":
            from .in_process import run

            run(job)
        case "script":
            from .guest import run_script

            run_script(job)
        case "command":
            unpack(4)
            os.execve("/bin/sh", ["sh", "-c", job["command"]], job["environment"])  # noqa: S606 - the user's own


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return [int(number) for number in file.read().split()]
    except OSError:
        return []
