"""The automatic methods that the paper compares with (Table 1), as designers on this project's language and engine."""

from __future__ import annotations

from flowreasoner.baselines.fitting import Fittable, Fitted

__all__ = ["Fittable", "Fitted"]
