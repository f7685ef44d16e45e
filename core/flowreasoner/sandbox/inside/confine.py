"""What a child of the warm process may do: prepared once, entered by each child before it runs anything."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
import time
from typing import TYPE_CHECKING

from . import landlock, seccomp

if TYPE_CHECKING:
    from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_KEEPCAPS, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 8, 36, 38
_CAP_VERSION_3, _CAP_DAC_READ_SEARCH = 0x2008_0522, 2
_STACK = 64 << 20
_COUNT_AGAIN_S = 10.0

_libc = ctypes.CDLL(None, use_errno=True)
_LINUX = sys.platform == "linux"


class Confinement:
    """The limits and layers of one jail's children.

    Args:
        config: What the host said about the jail: ``tier``, ``limits``, ``readable``, ``writable``, ``uid``.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._limits = config["limits"]
        self._uid = config["uid"]
        self._isolated = config["tier"] in {"jail", "landlock"}
        self._own_namespaces = config["tier"] == "jail"
        changes_user = config["tier"] == "landlock" and self._uid is not None
        self._needs_capability = changes_user and not reads_as(self._uid, needed(config))
        self._base = _address_space()
        self._threads, self._counted = 0, -_COUNT_AGAIN_S
        self._rules: dict[bool, int] = {}
        self._filters: dict[str, bytes] = {}
        if self._isolated:
            self._prepare(config["readable"], config["writable"])

    def _prepare(self, readable: list[str], writable: list[str]) -> None:
        self._filters = {name: seccomp.load(name) for name in seccomp.PROFILES}
        if landlock.abi():
            self._rules = {
                helpers: landlock.ruleset(readable, writable, network=helpers and self._own_namespaces, execute=helpers)
                for helpers in (False, True)
            }

    @property
    def landlock_abi(self) -> int:
        """Version of the Landlock that binds the children, 0 if none does."""
        return landlock.abi() if self._rules else 0

    def before_fork(self) -> None:
        """Reads what a child's limits depend on."""
        if self._uid is None and not self._own_namespaces and time.monotonic() - self._counted > _COUNT_AGAIN_S:
            self._threads, self._counted = _threads_of(os.getuid()), time.monotonic()

    def enter(self, *, helpers: bool) -> None:
        """Binds this process.

        Args:
            helpers: Whether it may start processes of its own, and, in a jail, use the jail's own network.
        """
        _control(_PR_SET_PDEATHSIG, 9)
        for name, value in self._resources().items():
            _limit(getattr(resource, name), value)
        if self._uid is not None:
            self._become(self._uid)
            _control(_PR_SET_PDEATHSIG, 9)  # changing the user has cleared it
        if not self._isolated:
            return
        _control(_PR_SET_NO_NEW_PRIVS, 1)
        if self._rules:
            landlock.restrict(self._rules[helpers])
        profiles = ("pure", "lib") if self._own_namespaces else ("shared", "shared-lib")
        seccomp.install(self._filters[profiles[helpers]])

    def _resources(self) -> dict[str, int]:
        limits = self._limits
        return {
            "RLIMIT_CORE": 0,
            "RLIMIT_CPU": limits["cpu_s"],
            "RLIMIT_FSIZE": limits["file_mib"] << 20,
            "RLIMIT_NOFILE": limits["open_files"],
            "RLIMIT_AS": self._base + (limits["memory_mib"] << 20),
            "RLIMIT_NPROC": self._threads + limits["processes"],
            "RLIMIT_STACK": _STACK,
        }

    def _become(self, uid: int) -> None:
        """Gives up root, for which the kernel keeps no limit on processes."""
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        if not self._needs_capability:
            os.setresuid(uid, uid, uid)
            return
        # Where the interpreter lies in a folder of root's, the child must still be able to import from it.
        # Landlock, not the user's rights, then decides what may be read.
        _control(_PR_SET_KEEPCAPS, 1)
        os.setresuid(uid, uid, uid)
        _keep_capability(_CAP_DAC_READ_SEARCH)


def needed(config: dict[str, Any]) -> list[str]:
    """Returns what a child must be able to read: what it is told it may, and what it imports from there."""
    tops = tuple(f"{path}/" for path in config["readable"])
    folders = [path for path in sys.path if f"{path}/".startswith(tops)]
    modules = [entry.path for folder in folders if os.path.isdir(folder) for entry in os.scandir(folder)]
    return [*config["readable"], *config["writable"], *folders, *modules]


def reads_as(uid: int, paths: list[str]) -> bool:
    """Tells whether a user without privileges can read files and folders, of those that there are."""
    paths = [path for path in paths if os.path.exists(path)]
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    code = 1
    try:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        code = 0 if all(os.access(path, os.R_OK | os.X_OK if os.path.isdir(path) else os.R_OK) for path in paths) else 1
    finally:
        os._exit(code)


def become_keeper() -> None:
    """Makes the warm process unreadable to its children, and the parent of all that they leave behind."""
    _control(_PR_SET_DUMPABLE, 0)
    _control(_PR_SET_CHILD_SUBREAPER, 1)


def _control(option: int, value: int) -> None:
    if _LINUX and _libc.prctl(option, value, 0, 0, 0):
        code = ctypes.get_errno()
        raise OSError(code, f"prctl {option}: {os.strerror(code)}")


def _limit(kind: int, wanted: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    # The soft limit on CPU time ends the process by a signal that says why; the hard one, a second later, by SIGKILL.
    above = value + 1 if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else value
    try:
        resource.setrlimit(kind, (value, above))
    except (ValueError, OSError):
        if kind != resource.RLIMIT_STACK:
            raise


def _keep_capability(number: int) -> None:
    header = (ctypes.c_uint32 * 2)(_CAP_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(1 << number, 1 << number, 0, 0, 0, 0)
    if _libc.capset(ctypes.byref(header), ctypes.byref(data)):
        code = ctypes.get_errno()
        raise OSError(code, f"capset: {os.strerror(code)}")


def _address_space() -> int:
    """Returns the bytes of address space that this process has already."""
    if not _LINUX:
        return 0
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _threads_of(uid: int) -> int:
    """Returns how many threads a user has on this machine: the limit on processes counts them all."""
    threads = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if entry.stat().st_uid == uid:
                    threads += len(os.listdir(f"/proc/{entry.name}/task"))
            except OSError:
                continue  # it has ended
    return threads
