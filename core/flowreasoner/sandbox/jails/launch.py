"""Starts the warm process of a jail, and ends it with everything below it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from flowreasoner.errors import IsolationUnavailable
from flowreasoner.sandbox.inside.folders import files_and_bytes
from flowreasoner.sandbox.jails import bubblewrap
from flowreasoner.sandbox.jails.channel import content, socket_pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowreasoner.sandbox.base import Limits

__all__ = ["WarmProcess"]

_FIRST_USER = 60_001
_USERS = 5_000
_MOST_AT_ONCE = 1_000  # files that are removed at once, which takes up to a second on a slow disk
_numbers = itertools.count()


class WarmProcess:
    """A process that forks for each run, in the confinement of a tier.

    Args:
        tier: ``jail``, ``landlock`` or ``process``.
        limits: What each run may use.
        preimport: Modules that are loaded before any run.

    Attributes:
        control: Connection to it.
        folder: Working folder of its runs, as they see it.

    Raises:
        OSError: If it cannot be started.
        IsolationUnavailable: If something that it needs is missing.
    """

    def __init__(self, tier: str, limits: Limits, preimport: Sequence[str]) -> None:
        self._owner = os.getpid()
        self._host_folder = ""
        self._first: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        with contextlib.ExitStack() as on_failure:
            self._said: IO[bytes] = on_failure.enter_context(tempfile.TemporaryFile())
            self.control, theirs = socket_pair()
            on_failure.callback(self.end)
            with theirs:
                if tier == "jail":
                    self.folder = bubblewrap.FOLDER
                    self._start_in_jail(_config(tier, limits, preimport, theirs.fileno(), [self.folder, "/dev/shm"]))  # noqa: S108
                else:
                    self.folder = self._host_folder = _own_folder()
                    config = _config(tier, limits, preimport, theirs.fileno(), [self.folder])
                    with content(json.dumps(config).encode()) as told:
                        command = bubblewrap.zygote(told.fileno())
                        self._spawn(command, [theirs.fileno(), told.fileno()], bubblewrap.environment(self.folder))
            on_failure.pop_all()

    def _start_in_jail(self, config: dict[str, Any]) -> None:
        config["readable"] += ["/etc", "/opt/flowreasoner", "/proc"]
        with contextlib.ExitStack() as stack:

            def held(text: str) -> int:
                return stack.enter_context(content(text.encode(errors="surrogateescape"))).fileno()

            names = {name: held(text) for name, text in bubblewrap.NAMES.items()}
            given = held(json.dumps(config))
            told, tells = os.pipe()
            stack.callback(os.close, told)
            try:
                arguments = bubblewrap.arguments(names, tells, config["limits"]["disk_mib"])
                listed = held("\0".join(arguments))
                command = bubblewrap.jailed(given, _found(), listed)
                # Bubblewrap's own environment is readable in the jail, so it has none.
                self._spawn(command, [config["control"], tells, given, listed, *names.values()], {})
            finally:
                os.close(tells)
            self._first = _first_process(told)

    def _spawn(self, command: Sequence[str], descriptors: Sequence[int], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._said,
            env=environment,
            start_new_session=True,
        )

    @property
    def works(self) -> bool:
        """Whether it has not ended."""
        if self._process is None or self._process.poll() is not None or self.control.hung_up():
            return False
        return self._first is None or not select.select([self._first], [], [], 0)[0]

    def last_words(self) -> str:
        """Returns the last line that it wrote to standard error."""
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:600] if lines else ""

    def end(self) -> None:
        """Ends it, after it had time to clear up its run, which it does when the host hangs up."""
        self.control.close()
        if os.getpid() != self._owner:
            return  # a copy in a forked process: the original belongs to the parent
        if self._first is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._first, signal.SIGKILL)  # all others of a jail end with its first
            os.close(self._first)
            self._first = None
        if self._process is not None:
            if self._host_folder:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(2.0)
            self._process.kill()
            self._process.wait()
        self._said.close()
        if self._host_folder:
            _remove_in_time(self._host_folder)


def _config(
    tier: str, limits: Limits, preimport: Sequence[str], control: int, writable: Sequence[str]
) -> dict[str, Any]:
    """Returns what the warm process is told."""
    return {
        "tier": tier,
        "control": control,
        "limits": asdict(limits),
        "preimport": list(preimport),
        "readable": [*bubblewrap.system_paths(), *bubblewrap.interpreter_paths()],
        "writable": list(writable),
        "uid": None if tier == "process" else _user(),
        "host_pid_namespace": str(Path("/proc/self/ns/pid").readlink()) if sys.platform == "linux" else "",
    }


def _own_folder() -> str:
    """Makes the folder that a process outside a jail works in, and removes those of hosts that were killed."""
    for folder in Path(tempfile.gettempdir()).glob("flowreasoner_run_*_*"):
        number = folder.name.split("_")[2]
        if number.isdigit() and not Path(f"/proc/{number}").exists() and sys.platform == "linux":
            _remove(str(folder))
    folder = Path(tempfile.mkdtemp(prefix=f"flowreasoner_run_{os.getpid()}_"))
    folder.chmod(0o711)  # the user of the runs has to get to it
    return str(folder)


def _remove_in_time(folder: str) -> None:
    """Removes a folder; one that a program has filled, beside what the host does meanwhile."""
    if files_and_bytes(folder)[0] > _MOST_AT_ONCE:
        with contextlib.suppress(RuntimeError):  # there are no new threads when the interpreter ends
            threading.Thread(target=_remove, args=[folder]).start()
            return
    _remove(folder)


def _remove(folder: str) -> None:
    """Removes a folder in which a program may have locked others, or nested them deeper than Python can follow."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    for command in (["chmod", "-R", "u+rwX", folder], ["rm", "-rf", folder]):
        if Path(folder).exists():
            subprocess.run(command, capture_output=True, check=False)  # noqa: S603


def _found() -> str:
    """Returns the path of bubblewrap."""
    found = shutil.which("bwrap")
    if not found:
        raise IsolationUnavailable("bubblewrap is not installed (apt install bubblewrap, dnf install bubblewrap)")
    return found


def _first_process(told: int) -> int | None:
    """Returns a descriptor of the jail's first process, with which all others of it end."""
    said = b""
    while chunk := os.read(told, 1 << 12):
        said += chunk
    with contextlib.suppress(ValueError, KeyError, OSError):
        return os.pidfd_open(json.loads(said)["child-pid"])
    return None  # bubblewrap has failed, and says why


def _user() -> int | None:
    """Returns a user that nobody is, for the runs of a jail that root starts; None for other users.

    Raises:
        IsolationUnavailable: If this root cannot become other users.
    """
    if os.geteuid() != 0:
        return None
    wanted = _FIRST_USER + (os.getpid() * 31 + next(_numbers)) % _USERS
    try:
        ranges = [list(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    except OSError:
        return wanted
    if any(first <= wanted < first + count for first, _, count in ranges):
        return wanted
    raise IsolationUnavailable("root cannot become another user in this container, and nothing limits root")
