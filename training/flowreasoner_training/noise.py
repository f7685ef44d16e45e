"""Keeps the output of a training free of what libraries say to nobody in particular."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from transformers.utils.logging import disable_progress_bar, enable_progress_bar, is_progress_bar_enabled

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["less_noise"]


@contextmanager
def less_noise() -> Iterator[None]:
    """Silences progress bars of transformers, and warnings of libraries about each other; all others are shown."""
    bars = is_progress_bar_enabled()
    disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            # Newer versions of transformers have another name for it, which TRL 1.16 and PEFT do not use yet.
            warnings.filterwarnings("ignore", ".*gradient_checkpointing.*deprecated", FutureWarning)
            yield
    finally:
        if bars:
            enable_progress_bar()  # type: ignore[no-untyped-call]
