"""Eq. 3 and Eq. 4 spelled out in plain Python, term by term: what the trainer is compared with.

Nothing here is shared with the trainer: loops over candidates, rounds and tokens, no tensors, no cumulative sums.
"""

import math
from itertools import pairwise


def advantages(
    rewards,
    valid,
    k,
    excluded,
    scope="subsequent",
    statistics="all",
    center="none",
    count_invalid=True,
    scale="group",
):
    """Eq. 4 for one query.

    `rewards[i][j-1]` is r_ij, or None for a round that never happened; `valid[i][j-1]` tells whether it was valid.
    """
    kept = [
        [
            r is not None and (j > excluded or (count_invalid and not ok))
            for j, (r, ok) in enumerate(zip(row, oks, strict=True), 1)
        ]
        for row, oks in zip(rewards, valid, strict=True)
    ]
    pool = [
        r
        for row, keep in zip(rewards, kept, strict=True)
        for r, is_kept in zip(row, keep, strict=True)
        if r is not None and (is_kept or statistics == "all")
    ]
    mean = math.fsum(pool) / len(pool) if pool else 0.0
    spread = math.sqrt(math.fsum((r - mean) ** 2 for r in pool) / len(pool)) if pool else 0.0
    if scale == "none":
        spread = 1.0
    result = []
    for row, keep in zip(rewards, kept, strict=True):
        line = []
        for own, r in enumerate(row, 1):
            total = 0.0
            for j, (other, is_kept) in enumerate(zip(row, keep, strict=True), 1):
                if is_kept and spread > 1e-8 and (scope == "trajectory" or j >= own):
                    total += k**j * (other - mean) / spread
            line.append(0.0 if r is None else total)
        result.append(line)
    return _centred(result, rewards) if center == "round" else result


def _centred(result, rewards):
    lines = [list(line) for line in result]
    for j in range(len(rewards[0])):
        reached = [i for i, row in enumerate(rewards) if row[j] is not None]
        for i in reached:
            lines[i][j] -= math.fsum(result[n][j] for n in reached) / len(reached)
    return lines


def outcome_advantages(rewards, scale="group"):
    """Ordinary GRPO for one query: mean rewards less their mean, by their sample deviation and TRL's epsilon."""
    scores = [math.fsum(known) / len(known) for known in ([r for r in row if r is not None] for row in rewards)]
    mean = math.fsum(scores) / len(scores)
    spread = math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / (len(scores) - 1))
    divisor = spread + 1e-4 if scale == "group" else 1.0
    return [
        [0.0 if r is None else (score - mean) / divisor for r in row]
        for score, row in zip(scores, rewards, strict=True)
    ]


def objective(new, old, reference, token_advantages, written, clip, beta):
    """Eq. 3, to be maximised: the mean over trajectories of the mean over their tokens.

    All arguments but the last two are lists of lists over trajectories and tokens; the first three log-probabilities.
    The minimum is taken after multiplying by the advantage, as in PPO.
    """
    per_trajectory = []
    for lines in zip(new, old, reference, token_advantages, written, strict=True):
        terms = []
        for lp, lp_old, lp_ref, advantage, own in zip(*lines, strict=True):
            if not own:
                continue
            ratio = math.exp(lp - lp_old)
            clipped = min(max(ratio, 1 - clip), 1 + clip)
            divergence = math.exp(lp_ref - lp) - (lp_ref - lp) - 1
            terms.append(min(ratio * advantage, clipped * advantage) - beta * divergence)
        per_trajectory.append(math.fsum(terms) / max(1, len(terms)))
    return math.fsum(per_trajectory) / len(per_trajectory)


def gradient(new, *rest, step=1e-6):
    """Central differences of `objective` by each of the new log-probabilities."""
    slopes = []
    for i, line in enumerate(new):
        slopes.append([])
        for m in range(len(line)):
            above, below = [list(row) for row in new], [list(row) for row in new]
            above[i][m] += step
            below[i][m] -= step
            slopes[-1].append((objective(above, *rest) - objective(below, *rest)) / (2 * step))
    return slopes


def rounds_of_tokens(written):
    """Index of each token's round: the n-th run of the policy's tokens is round n; -1 for the environment's."""
    rounds, current = [], -1
    for before, own in pairwise([0, *written]):
        current += own and not before
        rounds.append(current if own else -1)
    return rounds
