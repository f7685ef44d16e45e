"""The advantages of GRPO with a reward per round (§4.2, Eq. 4), over tensors.

``r~[i, j] = k^j * (r[i, j] - mean(R)) / std(R)`` and ``E[i, j'] = sum of r~[i, j] over j >= max(j', T + 1)``

R holds every reward of every round of the G trajectories of one query; rounds count from 1. The deviation is the
population's, and a group without any gives no advantage. Departures from the paper are settings: see
`flowreasoner_training.recipes.schema.GrpoSettings`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from flowreasoner_training.recipes.schema import GrpoSettings

__all__ = ["outcome_advantages", "round_advantages", "spread_over_tokens"]

_NO_SPREAD = 1e-8
_TRL_EPSILON = 1e-4


def round_advantages(rewards: Tensor, valid: Tensor, settings: GrpoSettings) -> Tensor:
    """Returns the advantage of every round of every trajectory, as the settings ask for.

    Args:
        rewards: (N, l) rewards; NaN for a round that never happened. Rows of one query stand together, G at a time.
        valid: (N, l) booleans: whether the round's workflow passed the checker.
        settings: G, k, T and the readings of Eq. 4.

    Returns:
        (N, l) advantages; 0 for a round that never happened.
    """
    happened = ~rewards.isnan()
    if settings.advantage == "outcome":
        return outcome_advantages(rewards, settings.group_size, scaled=settings.scale == "group") * happened
    number = torch.arange(1, rewards.shape[1] + 1, device=rewards.device, dtype=rewards.dtype)
    kept = happened & (number > settings.excluded_rounds)
    if settings.count_invalid:
        kept |= happened & ~valid
    counted = kept if settings.statistics == "kept" else happened
    normalised = _normalised(rewards, counted, settings.group_size, scaled=settings.scale == "group")
    weighted = normalised * settings.discount**number * kept
    if settings.scope == "trajectory":
        advantages = weighted.sum(1, keepdim=True) * happened
    else:
        advantages = weighted.flip(1).cumsum(1).flip(1) * happened
    return _centred(advantages, happened, settings.group_size) if settings.center == "round" else advantages


def outcome_advantages(rewards: Tensor, group_size: int, *, scaled: bool = True) -> Tensor:
    """Returns ordinary GRPO's advantages: each trajectory's mean reward, normalised in its group as TRL does it.

    Args:
        rewards: (N, l) rewards; NaN for a round that never happened.
        group_size: Trajectories per query, G.
        scaled: Divide by the group's deviation.

    Returns:
        (N, l) advantages, the same for all rounds of a trajectory.
    """
    outcome = rewards.nanmean(1).view(-1, group_size)
    deviation = outcome - outcome.mean(1, keepdim=True)
    if scaled:
        deviation = deviation / (outcome.std(1, keepdim=True) + _TRL_EPSILON)
    return deviation.view(-1, 1).expand_as(rewards)


def spread_over_tokens(advantages: Tensor, rounds: Tensor) -> Tensor:
    """Gives each token the advantage of its round.

    Args:
        advantages: (B, l) advantages.
        rounds: (B, T) index of each token's round from 0; -1 for feedback and padding.

    Returns:
        (B, T) advantages; 0 for feedback and padding.
    """
    return advantages.gather(1, rounds.clamp(min=0)) * (rounds >= 0)


def _normalised(rewards: Tensor, counted: Tensor, group_size: int, *, scaled: bool) -> Tensor:
    """Returns (r - mean(R)) / std(R), R being the counted rewards of a group; 0 where R has no spread."""
    grouped = rewards.nan_to_num().reshape(-1, group_size * rewards.shape[1])
    share = counted.reshape(grouped.shape).to(grouped.dtype)
    count = share.sum(1, keepdim=True).clamp(min=1)
    deviation = grouped - (grouped * share).sum(1, keepdim=True) / count
    if not scaled:
        return deviation.view(rewards.shape)
    spread = ((deviation**2 * share).sum(1, keepdim=True) / count).sqrt()
    return torch.where(spread > _NO_SPREAD, deviation / spread, 0.0).view(rewards.shape)


def _centred(advantages: Tensor, happened: Tensor, group_size: int) -> Tensor:
    """Subtracts, round by round, the mean advantage of the group's trajectories that reached the round."""
    grouped = advantages.view(-1, group_size, advantages.shape[1])
    reached = happened.view(grouped.shape)
    mean = grouped.sum(1, keepdim=True) / reached.sum(1, keepdim=True).clamp(min=1)
    return ((grouped - mean) * reached).view(advantages.shape)
