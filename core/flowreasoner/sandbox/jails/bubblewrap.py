"""What a jailed interpreter sees of the machine, and the command that starts one.

Of the host's files a jail has the system's programs and libraries, the running interpreter with its packages,
and nothing else: no home, no project, no configuration beyond what name look-ups need.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["FOLDER", "NAMES", "arguments", "environment", "interpreter_paths", "jailed", "system_paths", "zygote"]

FOLDER = "/workspace"
"""The working folder of a run inside a jail, and what output of the other tiers calls theirs."""

_INSIDE = Path(__file__).parents[1] / "inside"
_MOUNTED = "/opt/flowreasoner"
_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
_CONFIGURATION = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")
_DEVICES = ("/dev/random", "/dev/urandom")
_SHARED_MEMORY_BYTES = 16 << 20
NAMES = {"hosts": "127.0.0.1 localhost\n::1 localhost\n", "nsswitch.conf": "hosts: files\npasswd: files\n"}


def interpreter_paths() -> list[str]:
    """Returns the files and folders of the running interpreter and its packages that lie outside `/usr`."""
    prefixes = dict.fromkeys(
        path
        for prefix in (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)
        for path in (prefix, os.path.realpath(prefix))
    )
    parts = [f"{prefix}/{part}" for prefix in prefixes for part in ("lib", "lib64", "bin", "pyvenv.cfg")]
    executable = os.path.realpath(sys.executable)
    return [
        path for path in dict.fromkeys([*parts, executable]) if Path(path).exists() and not path.startswith("/usr/")
    ]


def system_paths() -> list[str]:
    """Returns what of the system may be read."""
    return [path for path in (*_SYSTEM, *_CONFIGURATION, *_DEVICES) if Path(path).exists()]


def environment(folder: str) -> dict[str, str]:
    """Returns the environment of jailed programs."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": folder,
        "TMPDIR": folder,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": folder,
        # One thread each: the pool has a worker for every core, and verdicts should not hang on how many there are.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def zygote(config: int, parent: str = str(_INSIDE.parent)) -> list[str]:
    """Returns the command that starts the warm process.

    Args:
        config: Descriptor of a file with what it is told.
        parent: The folder above its code, as it sees it.
    """
    start = f"import sys; sys.path.insert(0, {parent!r}); from inside.zygote import main; sys.path.pop(0); main()"
    # `-I` would do the same but also ignore PYTHONHASHSEED, without which verdicts vary with set order.
    return [sys.executable, "-s", "-P", "-B", "-c", start, str(config)]


def jailed(config: int, program: str, arguments: int) -> list[str]:
    """Returns the command that starts the warm process in a jail.

    Args:
        config: Descriptor of a file with what the warm process is told.
        program: Path of bubblewrap.
        arguments: Descriptor of a file with bubblewrap's `arguments`, since a jail's first process is bubblewrap,
            and programs in the jail can read its command line.
    """
    return [program, "--args", str(arguments), "--", *zygote(config, _MOUNTED)]


def arguments(names: dict[str, int], tells: int, disk_mib: int) -> list[str]:
    """Returns what makes a jail.

    Args:
        names: Descriptors that hold the files of name look-up.
        tells: Descriptor that bubblewrap says its first process's number on.
        disk_mib: Size of the working folder.
    """
    root = os.geteuid() == 0
    arguments = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    arguments += ["--new-session", "--hostname", "sandbox", "--clearenv", "--cap-drop", "ALL"]
    arguments += ["--info-fd", str(tells)]
    if root:  # the warm process gives up root for each run, since the kernel limits no processes of root's
        for capability in ("SETUID", "SETGID", "CHOWN", "FOWNER", "KILL", "DAC_OVERRIDE"):
            arguments += ["--cap-add", f"CAP_{capability}"]
    else:
        arguments += ["--unshare-user", "--disable-userns"]
    for name, value in environment(FOLDER).items():
        arguments += ["--setenv", name, value]
    arguments += _files(names)
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    arguments += ["--perms", "0777", "--size", str(_SHARED_MEMORY_BYTES), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]  # noqa: S108
    arguments += ["--perms", "0711", "--size", str(disk_mib << 20), "--tmpfs", FOLDER]
    if not any(path.startswith("/tmp/") for path in interpreter_paths()):  # noqa: S108
        arguments += ["--symlink", FOLDER, "/tmp"]  # noqa: S108
    return [*arguments, "--remount-ro", "/", "--chdir", FOLDER]


def _files(names: dict[str, int]) -> list[str]:
    arguments = []
    for path in _SYSTEM:
        if Path(path).is_symlink():
            arguments += ["--symlink", os.readlink(path), path]  # noqa: PTH115 - as it is, not normalised
        elif Path(path).is_dir():
            arguments += ["--ro-bind", path, path]
    folders = [str(folder) for path in interpreter_paths() for folder in reversed(Path(path).parents)]
    for folder in dict.fromkeys([*folders, "/etc", _MOUNTED]):
        if folder != "/":
            arguments += ["--perms", "0755", "--dir", folder]  # made on the way, they would be closed to all but root
    for path in _CONFIGURATION:
        arguments += ["--ro-bind-try", path, path]
    for name, descriptor in names.items():
        arguments += ["--perms", "0644", "--ro-bind-data", str(descriptor), f"/etc/{name}"]
    for path in interpreter_paths():
        arguments += ["--ro-bind", path, path]
    return [*arguments, "--ro-bind", str(_INSIDE), f"{_MOUNTED}/inside"]
