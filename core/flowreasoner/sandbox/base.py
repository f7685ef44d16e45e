"""The seam between the product and the tiers that run untrusted code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from flowreasoner.sandbox.suite import Suite
    from flowreasoner.sandbox.verdict import RunOutput, Verdict

__all__ = ["Limits", "Sandbox"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run of a candidate may use. Seconds, mebibytes and kibibytes, as the names say."""

    test_s: float = 3.0
    wall_s: float = 10.0
    cpu_s: int = 10
    memory_mib: int = 1024
    file_mib: int = 16
    open_files: int = 128
    output_kib: int = 64


@runtime_checkable
class Sandbox(Protocol):
    """Runs candidate programs. A tier that cannot do its work raises; it never returns a zero score.

    Attributes:
        tier: Name of the tier, stamped on every verdict.
        isolated: Whether the tier keeps a hostile program from the host.
    """

    @property
    def tier(self) -> str: ...

    @property
    def isolated(self) -> bool: ...

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
