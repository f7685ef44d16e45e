"""Says which extra is missing, what for, and how to install it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from flowreasoner.errors import PluginError
from flowreasoner_plugins.requires import require

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["explained", "require_checkpoints", "require_training"]

_EXTRAS = {
    **dict.fromkeys(
        ["accelerate", "datasets", "matplotlib", "numpy", "peft", "safetensors", "tokenizers", "torch"], "train"
    ),
    **dict.fromkeys(["transformers", "trl"], "train"),
    "vllm": "vllm",
    "deepspeed": "deepspeed",
    "bitsandbytes": "qlora",
}


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turns the failed import of an extra's package into an error that has the command that installs it.

    Args:
        what: What needs it, for the message.

    Raises:
        PluginError: Instead of a `ModuleNotFoundError` of a package that an extra installs.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in _EXTRAS:
            raise
        install = f'pip install "flowreasoner[{_EXTRAS[module]}]"'
        raise PluginError(f"{module} is not installed, which {what} needs: {install}") from error


def require_checkpoints(what: str) -> None:
    """Checks that checkpoints can be run.

    Args:
        what: What needs it, for the message.

    Raises:
        PluginError: If not; the message has the command that helps.
    """
    require("torch", "train", least=(2, 9), below=(3, 0), what=what)
    require("transformers", "train", least=(5, 10), below=(6, 0), what=what)


def require_training() -> None:
    """Checks that TRL is installed, in the version whose private seams the trainer relies on.

    Raises:
        PluginError: If not; the message has the command that helps.
    """
    require("torch", "train", least=(2, 9), below=(3, 0), what="training")
    require("trl", "train", least=(1, 16), below=(1, 17), what="training")
