"""Which tiers this machine offers, and the choice among them."""

from __future__ import annotations

import functools
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from flowreasoner.errors import IsolationUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from flowreasoner.sandbox.base import Limits, Sandbox
    from flowreasoner.sandbox.jails.worker import Profile

__all__ = ["ISOLATED", "TIERS", "best_sandbox", "make_sandbox", "missing"]

TIERS = ("jail", "landlock", "interpreter", "process")
"""From the strongest to the weakest."""

ISOLATED = TIERS[:-1]

_PROBE_S = 20


def missing(tier: str) -> str:
    """Returns why a tier is not available here, and what to do about it; an empty text if it is."""
    try:
        return _PROBES[tier]()
    except KeyError:
        return f"there is no such tier; there are {', '.join(TIERS)}"


def make_sandbox(tier: str, *, limits: Limits | None = None, profile: Profile = "pure") -> Sandbox:
    """Returns the sandbox of a tier.

    Args:
        tier: Its name.
        limits: What each run may use.
        profile: ``lib`` where programs start processes or connect to themselves; the tier `interpreter` knows none.

    Raises:
        IsolationUnavailable: If this machine does not offer it.
    """
    if tier == "interpreter":
        from flowreasoner.sandbox.interpreter import Interpreter

        return Interpreter(limits=limits)
    from flowreasoner.sandbox.pool import Pool

    return Pool(tier, limits=limits, profile=profile)


def best_sandbox() -> Sandbox:
    """Returns the strongest sandbox that this machine offers; never one that is no isolation.

    Raises:
        IsolationUnavailable: If there is none.
    """
    reasons = {tier: missing(tier) for tier in ISOLATED}
    for tier, why in reasons.items():
        if not why:
            return make_sandbox(tier)
    raise IsolationUnavailable(
        "there is no isolation for untrusted programs on this machine:\n"
        + "\n".join(f"  {tier}: {why}" for tier, why in reasons.items())
        + "\nTo run programs without isolation all the same, ask for tier 'process'."
    )


@functools.cache
def _jail() -> str:
    return _linux() or _works_in_bubblewrap()


def _works_in_bubblewrap() -> str:
    found = shutil.which("bwrap")
    if not found:
        return "bubblewrap is not installed (apt install bubblewrap, dnf install bubblewrap)"
    command = [found, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--ro-bind", "/", "/", "--proc", "/proc"]
    command += [] if os.geteuid() == 0 else ["--unshare-user"]
    try:
        tried = subprocess.run([*command, "true"], capture_output=True, timeout=_PROBE_S, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        return f"bubblewrap does not work: {error}"
    if tried.returncode == 0:
        return ""
    said = tried.stderr.decode(errors="replace").strip()[-300:]
    return (
        f"bubblewrap cannot make namespaces here ({said}); a container needs user namespaces allowed, "
        "Ubuntu from 23.10 on an AppArmor profile for bwrap"
    )


@functools.cache
def _landlock() -> str:
    why = _linux()
    if why:
        return why
    from flowreasoner.sandbox.inside import landlock

    if not landlock.abi():
        why = "the kernel has no Landlock, or it is not enabled (Linux 5.13 or newer, lsm=…,landlock)"
    return why


def _linux() -> str:
    if sys.platform != "linux":
        return f"it needs Linux, this is {platform.system()}"
    from flowreasoner.sandbox.inside import seccomp

    if not seccomp.available():
        return f"there is no filter of system calls for {platform.machine()}"
    return ""


def _interpreter() -> str:
    if importlib.util.find_spec("pydantic_monty") is None:
        return "the interpreter is not installed (pip install 'flowreasoner[interpreter]')"
    return ""


def _process() -> str:
    return "" if os.name == "posix" else f"it needs a POSIX system, this is {platform.system()}"


_PROBES: dict[str, Callable[[], str]] = {
    "jail": _jail,
    "landlock": _landlock,
    "interpreter": _interpreter,
    "process": _process,
}
