"""Checks that a framework is installed in a version that works, and says what to do if not."""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["lazily", "require"]


def require(
    distribution: str, extra: str, *, least: tuple[int, int], below: tuple[int, int], what: str = "this backend"
) -> None:
    """Checks for an installed framework.

    Args:
        distribution: Name on PyPI, e.g. ``langgraph``.
        extra: The extra of FlowReasoner that installs it.
        least: Oldest version that works, as (major, minor).
        below: Oldest version that is not known to work.
        what: What needs it, for the message.

    Raises:
        PluginError: If it is missing or its version is outside the range; the message has the command that helps.
    """
    install = f'pip install "flowreasoner[{extra}]"'
    try:
        version = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        raise PluginError(f"{distribution} is not installed, which {what} needs: {install}") from None
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if not least <= numbers < below:
        wanted = f">={'.'.join(map(str, least))},<{'.'.join(map(str, below))}"
        raise PluginError(f"{distribution} {version} is installed, and {what} needs {wanted}: {install}")


def lazily(package: str, homes: Mapping[str, str], check: Callable[[], None]) -> Callable[[str], Any]:
    """Returns a package's ``__getattr__``, which loads what needs the framework when it is first used.

    Args:
        package: Name of the package.
        homes: Name of the module by what it holds.
        check: Raises where the framework is missing, with the extra.
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        check()
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return load
