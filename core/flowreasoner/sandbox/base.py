"""The seam between the product and the tiers that run untrusted code."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from flowreasoner.sandbox.suite import Suite
    from flowreasoner.sandbox.verdict import RunOutput, Verdict

__all__ = ["Limits", "Sandbox"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run of a candidate may use. Seconds, mebibytes and kibibytes, as the names say.

    Times are the run's own: what it computes and what it sleeps, not what it waits for a core that others use.

    Attributes:
        test_s: Time of one test; an input/output pair, which is a run of its own, has no more.
        wall_s: Time of the whole run.
        cpu_s: CPU time of each process.
        memory_mib: Address space of each process, beyond what the warm interpreter has already.
        file_mib: Size of each file written.
        disk_mib: Size of all files written.
        open_files: Open files of each process.
        processes: Processes and threads.
        output_kib: How much of what is printed is kept.
        restarts: How often a program that ended, or was ended, is started anew for the tests that are left.

    Raises:
        ValueError: If one is no number, or not above 0 (the last two may be 0).
    """

    test_s: float = 3.0
    wall_s: float = 10.0
    cpu_s: int = 10
    memory_mib: int = 1024
    file_mib: int = 16
    disk_mib: int = 256
    open_files: int = 128
    processes: int = 64
    output_kib: int = 64
    restarts: int = 2

    def __post_init__(self) -> None:
        for field in fields(self):
            value, least = getattr(self, field.name), 0 if field.name in {"output_kib", "restarts"} else 0.001
            if not isinstance(value, int | float) or not least <= value < math.inf:
                raise ValueError(f"{field.name} must be a number above 0, not {value!r}")


@runtime_checkable
class Sandbox(Protocol):
    """Runs candidate programs. A tier that cannot do its work raises; it never returns a zero score.

    Attributes:
        tier: Name of the tier, stamped on every verdict.
        isolated: Whether the tier keeps a hostile program from the host.
    """

    @property
    def tier(self) -> str:
        """Name of the tier."""
        ...

    @property
    def isolated(self) -> bool:
        """Whether the tier is a boundary for hostile programs."""
        ...

    async def grade(self, code: str, suite: Suite) -> Verdict:
        """Runs `suite` against the program `code`.

        Raises:
            SandboxError: If the sandbox itself fails.
        """
        ...

    async def run(self, code: str, stdin: str = "") -> RunOutput:
        """Runs a program as a script and returns what it printed.

        Raises:
            SandboxError: If the sandbox itself fails.
        """
        ...

    async def aclose(self) -> None:
        """Ends all processes of the sandbox."""
        ...
