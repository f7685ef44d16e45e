"""How many threads torch computes on, while a training goes on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["threads"]


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Has torch compute on a number of threads, and on as many as before afterwards: sums differ in their last bits.

    Args:
        count: Threads; None leaves them as they are.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
