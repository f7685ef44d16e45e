"""Runs one child process in a folder of its own, within limits, and leaves nothing of it behind.

Nothing here waits for a pipe to close. When the child has ended, all that it wrote lies in the pipes'
buffers and is taken from there, so a process that left the child's group and holds the pipes open can
neither delay a run nor change its result. Such a process itself is not found and lives on: the group is
all that this tier can end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from flowreasoner.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["Ended", "place", "run_child", "workspace"]

_CHUNK = 1 << 16
_SHOWN_FOLDER = "/workspace"
"""What the workspace is called in output: its own name differs from run to run, and so would prompts with it."""

_MOST_LEFT = 1 << 20
"""Most bytes that a pipe can hold when its writer has ended (Linux, /proc/sys/fs/pipe-max-size)."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child process ended, and what it printed."""

    exit_code: int
    timed_out: bool
    stdout: str
    stderr: str
    wall_s: float


async def run_child(
    command: Sequence[str],
    folder: Path,
    stdin: bytes = b"",
    *,
    wall_s: float,
    keep: int,
    environment: Mapping[str, str] | None = None,
    results: Callable[[bytes], None] | None = None,
) -> Ended:
    """Runs a child to its end or to the time limit, then kills what is left of its process group.

    Args:
        command: Program and arguments.
        folder: Working directory, home and place for temporary files.
        stdin: Standard input.
        wall_s: Time limit in seconds.
        keep: Bytes kept of standard output, and as many of standard error.
        environment: Variables beside the few that every child gets.
        results: Takes what the child writes to the descriptor whose number is its last argument; without
            it, the command is run as it is.

    Raises:
        SandboxError: If the child cannot be started.
    """
    began = time.perf_counter()
    stdout, stderr = _Kept(keep), _Kept(keep)
    with contextlib.ExitStack() as stack:
        try:
            pipes = [stack.enter_context(_Pipe(take)) for take in (stdout.add, stderr.add, results) if take]
            child = _start(command, folder, stdin, environment or {}, pipes)
        except (OSError, ValueError, IndexError) as error:
            raise SandboxError(f"cannot start {command[0] if command else 'an empty command'!r}: {error}") from error
        try:
            for pipe in pipes:
                pipe.listen()
            timed_out = not await _exited(child, wall_s)
            if timed_out:
                _kill(child)
                await _exited(child, 1.0)
        finally:
            _kill(child)
            child.wait()  # at once: it has ended, or has just been killed by a cancelled caller
        for pipe in pipes:
            pipe.finish()
    out, err = (stream.text().replace(str(folder), _SHOWN_FOLDER) for stream in (stdout, stderr))
    return Ended(child.returncode, timed_out, out, err, time.perf_counter() - began)


def _start(
    command: Sequence[str], folder: Path, stdin: bytes, environment: Mapping[str, str], pipes: Sequence[_Pipe]
) -> subprocess.Popen[bytes]:
    base = {"PYTHONHASHSEED": "0", "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8"}
    stdout, stderr, *results = [pipe.writing.fileno() for pipe in pipes]
    with tempfile.TemporaryFile(dir=folder) as given:
        given.write(stdin)
        given.seek(0)
        return subprocess.Popen(  # noqa: S603 - running what it is given is the sandbox's purpose
            [*command, *map(str, results)],
            cwd=folder,
            env=base | dict(environment),
            stdin=given,
            stdout=stdout,
            stderr=stderr,
            pass_fds=results,
            start_new_session=True,
        )


async def _exited(child: subprocess.Popen[bytes], within: float) -> bool:
    """Waits for the child's end, or returns False; not reaping it, so that its number stays its own."""
    try:
        async with asyncio.timeout(within):
            await _end_of(child.pid)
    except TimeoutError:
        return False
    return True


async def _end_of(pid: int) -> None:
    try:
        watched = os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or a container that forbids it
        while not _has_ended(pid):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
        return
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(watched, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(watched)
        os.close(watched)


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _kill(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


class _Pipe:
    """A pipe from the child, read by the event loop's callbacks."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take, self._loop = take, asyncio.get_running_loop()
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._reading: BinaryIO = open(reading, "rb", buffering=0)  # noqa: PTH123, SIM115 - closed by __exit__
        self.writing: BinaryIO = open(writing, "wb", buffering=0)  # noqa: PTH123, SIM115

    def __enter__(self) -> _Pipe:
        return self

    def __exit__(self, *_: object) -> None:
        self._ignore()
        self.writing.close()
        self._reading.close()

    def listen(self) -> None:
        """Leaves the writing end to the child and starts to take in what it writes."""
        self.writing.close()
        self._loop.add_reader(self._reading, self._read)

    def finish(self) -> None:
        """Takes in what the ended child left in the pipe; writers that live on are not listened to."""
        for _ in range(_MOST_LEFT // _CHUNK):
            if not self._read():
                break

    def _read(self) -> bool:
        chunk = self._reading.read(_CHUNK)
        if chunk:
            self._take(chunk)
        elif chunk is not None:  # the end; None only says that nothing has come yet
            self._ignore()
        return bool(chunk)

    def _ignore(self) -> None:
        self._loop.remove_reader(self._reading)


class _Kept:
    """The first bytes of a stream."""

    def __init__(self, most: int) -> None:
        self._most, self._data = most, bytearray()

    def add(self, chunk: bytes) -> None:
        self._data += chunk[: self._most - len(self._data)]

    def text(self) -> str:
        return self._data.decode("utf-8", errors="replace")


@contextlib.contextmanager
def workspace(template: str = "") -> Iterator[Path]:
    """A temporary folder, filled with a copy of `template` where given, gone afterwards.

    Raises:
        SandboxError: If the folder cannot be made or filled.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="flowreasoner_"))
    except OSError as error:
        raise SandboxError(f"cannot make a temporary folder: {error}") from error
    try:
        if template:
            try:
                shutil.copytree(template, folder, dirs_exist_ok=True)
            except OSError as error:
                raise SandboxError(f"cannot copy the check's folder {template!r}: {error}") from error
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Removes a folder, also one in which the candidate made folders that may not be read."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for path, _, _ in os.walk(folder):
            os.chmod(path, 0o700)  # noqa: PTH101 - top-down, so that the walk can go on
        shutil.rmtree(folder, ignore_errors=True)


def place(folder: Path, name: str, code: str) -> None:
    """Writes a program into the workspace; what UTF-8 cannot hold becomes a question mark.

    Raises:
        SandboxError: If the file cannot be written.
    """
    try:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(code, encoding="utf-8", errors="replace", newline="")
    except OSError as error:
        raise SandboxError(f"cannot write {name!r} into the sandbox's folder: {error}") from error
