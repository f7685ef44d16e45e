"""The warm process of a jail: it forks a child for each run, watches it, and clears up after it.

It never holds what a run brings: a child inherits all that lies here, so that programs and tests are read, compiled
and executed in children only.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import math
import mmap
import os
import select
import shutil
import signal
import socket
import sys
import time
import traceback
from typing import TYPE_CHECKING

from . import wire
from .confine import Confinement, become_keeper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, NoReturn

_LOOK_S = 0.1  # how often a run is looked at that could take more than its limits on single processes say
_CLEAR_S = 0.5  # what takes longer to remove is left to the host, which throws the jail away
_MOST_FILES = 10_000
_MOST_CLEARED = 2_000
_LONGEST_WAIT = 20  # a run that the machine starves is given up at so many times its limit
_PLACES = {"stdin": 0, "stdout": 1, "stderr": 2, "channel": 3, "second": 4, "job": 5}


def main() -> None:
    """Serves the host until it hangs up."""
    config = json.loads(sys.argv[1])
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
            return [_empty(folder, until) for folder in self._config["writable"]].count(False) == 0
        except (OSError, RecursionError):
            return False

    def _files(self) -> int:
        """Returns how many files and folders the run's folders hold."""
        if not self._in_jail:
            return _files_and_bytes(self._config["writable"][0])[0]
        held = [os.statvfs(folder) for folder in self._config["writable"]]
        return sum(found.f_files - found.f_ffree for found in held)

    def _holds_too_many_files(self) -> str:
        """Says what a run has too much of in a jail, whose file systems have a size of their own."""
        return "files" if self._files() > _MOST_FILES else ""

    def _holds_too_much(self) -> str:
        """Says what a run has too much of in a folder of the host's."""
        files, size = _files_and_bytes(self._config["writable"][0])
        if size > self._config["limits"]["disk_mib"] << 20:
            return "disk"
        return "files" if files > _MOST_FILES else ""

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


class Watch:
    """Waits for the end of a child, or ends it.

    Time is the child's own: what it computes and what it sleeps, but not what it waits for a core that
    others use, so that a busy machine changes no verdict.

    Args:
        child: Its number.
        job: What it runs.
        limits: What it may use.
        holds_too_much: Says what there is too much of in the folders of the run, if anything.
    """

    def __init__(
        self, child: int, job: dict[str, Any], limits: dict[str, Any], holds_too_much: Callable[[], str]
    ) -> None:
        self._child, self._run, self._wall_s = child, job["run"], job["wall_s"]
        self._limits, self._holds_too_much = limits, holds_too_much
        self._helpers = job["helpers"]
        self._began = time.monotonic()

    def until_end(self, control: socket.socket) -> str:
        """Waits, and returns why the child was killed, or an empty text.

        Raises:
            EOFError: If the host has hung up.
        """
        killed = ""
        with _ending(self._child) as watched:
            while not killed:
                waited_for = [*watched, control.fileno()]
                ready = select.select(waited_for, [], [], self._patience(watched))[0]
                if watched and watched[0] in ready:
                    return ""
                if ready:
                    killed = self._heed(control)
                elif not watched and os.waitid(os.P_PID, self._child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                    return ""
                elif self._left_s() <= 0:
                    killed = "time"
                else:
                    killed = self._excess()
        self.kill()
        return killed

    def _patience(self, watched: list[int]) -> float | None:
        """Seconds until the child has to be looked at, None if it says itself when it ends and may live on."""
        left_s = self._left_s()
        return None if watched and left_s == math.inf else max(0.0, min(left_s, _LOOK_S))

    def _left_s(self) -> float:
        """Seconds that are left to the run, infinitely many for one that the host watches."""
        if self._wall_s is None:
            return math.inf
        passed_s = time.monotonic() - self._began
        own_s = passed_s - self._starved_s()
        return 0.0 if passed_s > _LONGEST_WAIT * self._wall_s else self._wall_s - own_s

    def _heed(self, control: socket.socket) -> str:
        """Does what the host says during a run."""
        message, descriptors = wire.receive_with_descriptors(control)
        for descriptor in descriptors:
            os.close(descriptor)
        if message.get("kill") == self._run:
            return "asked"
        if message.get("usage") == self._run:
            wire.send(control, {"starved_s": self._starved_s()})
        return ""

    def _starved_s(self) -> float:
        """Seconds for which the child wanted a core and got none, as the kernel counts them."""
        try:
            with open(f"/proc/{self._child}/schedstat", encoding="ascii") as file:
                starved_s = int(file.read().split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0
        # A run with processes of its own can starve itself.
        return min(starved_s, self._limits["wall_s"]) if self._helpers else starved_s

    def _excess(self) -> str:
        """Tells what a run takes together that no limit on a single process or file holds."""
        held = self._holds_too_much()
        if held:
            return held
        if self._helpers and _memory_of(_descendants()) > self._limits["memory_mib"] << 20:
            return "memory"
        return ""

    def kill(self) -> None:
        """Ends the child; its number is its own until it is waited for."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child, signal.SIGKILL)


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
            _unpack(4)
            os.execve("/bin/sh", ["sh", "-c", job["command"]], job["environment"])  # noqa: S606 - the user's own


def _unpack(descriptor: int) -> None:
    """Fills the working folder with the files that the host sent, each made with its mode, which cannot be changed."""
    import tarfile

    here = os.getcwd()
    with open(descriptor, "rb") as file, tarfile.open(fileobj=file) as archive:
        for member in archive:
            entry = tarfile.data_filter(member, here)
            content = archive.extractfile(entry) if entry.isreg() else None
            if entry.isdir():
                os.makedirs(entry.name, exist_ok=True)
            elif entry.issym():
                os.symlink(entry.linkname, entry.name)
            elif content is not None:
                os.makedirs(os.path.dirname(entry.name) or ".", exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
                with open(os.open(entry.name, flags, entry.mode or 0o600), "wb") as made:
                    shutil.copyfileobj(content, made)


@contextlib.contextmanager
def _ending(child: int) -> Iterator[list[int]]:
    """What becomes readable when the child ends; nothing where the system has no such thing."""
    try:
        watched = os.pidfd_open(child)
    except (AttributeError, OSError):
        yield []
        return
    try:
        yield [watched]
    finally:
        os.close(watched)


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return [int(number) for number in file.read().split()]
    except OSError:
        return []


def _empty(folder: str, until: float) -> bool:
    """Makes a working folder as it was, and returns whether that could be done in time."""
    os.chmod(folder, 0o700)
    for attribute in os.listxattr(folder) if hasattr(os, "listxattr") else ():
        os.removexattr(folder, attribute)
    with os.scandir(folder) as entries:
        for entry in entries:
            if time.monotonic() > until:
                return False
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, onerror=_unlock)
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)
    return not os.listdir(folder)


def _unlock(_: object, path: str, __: object) -> None:
    """Makes a folder accessible that the run has locked; the second attempt then removes it."""
    with contextlib.suppress(OSError):
        os.chmod(os.path.dirname(path), 0o700)
        if not os.path.islink(path):
            os.chmod(path, 0o700)


def _files_and_bytes(folder: str) -> tuple[int, int]:
    """Returns how many files a folder holds, and of how many bytes together; of absurdly many, only that they are."""
    total, seen, folders = 0, 0, [folder]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                seen += 1
                if seen > _MOST_FILES:
                    return seen, total
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                total += entry.stat(follow_symlinks=False).st_blocks * 512
    return seen, total


def _descendants() -> list[int]:
    """Processes below this one: those of the run, and those whose parents have ended, which became ours."""
    found = [os.getpid()]
    for number in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{number}/task"):
                with open(f"/proc/{number}/task/{task}/children", encoding="ascii") as file:
                    found += [int(text) for text in file.read().split()]
    return found[1:]


def _memory_of(processes: list[int]) -> int:
    total = 0
    for number in processes:
        with contextlib.suppress(OSError), open(f"/proc/{number}/statm", encoding="ascii") as file:
            resident, shared = map(int, file.read().split()[1:3])
            total += (resident - shared) * os.sysconf("SC_PAGE_SIZE")
    return total
