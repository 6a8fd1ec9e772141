"""Negatives weighted by how hard they are, and rid of those that are none."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

JUST_BELOW = -1e-6
"""Of a logarithm of a share: the nearest to 0 at which 1 less the share is told from 0."""


def weighted(
    log_sum: Callable[[float], Tensor], count: Tensor, temperature: float, hardness: float
) -> Tensor:
    """Log Σ w exp(s / temperature), each negative weighted by w ∝ exp(hardness · s / temperature).

    Weights have the mean 1, so that the sum stays that of ``count`` negatives.

    Args:
        log_sum: Temperature → log Σ exp(s / temperature) over each anchor's negatives, (B,).
        count: How many negatives these are, (B,) or a scalar.
        temperature: Softmax temperature, > 0.
        hardness: β ≥ 0; 0 weighs all alike.

    Source: Robinson et al. 2021, Eq. 4 and its public code.
    """
    if not hardness:
        return log_sum(temperature)
    harder = log_sum(temperature / (1 + hardness))
    return harder - log_sum(temperature / hardness) + count.log()


def debiased(
    log_sum: Tensor, positive: Tensor, count: Tensor, temperature: float, share: float
) -> Tensor:
    """The same sum without the part that stands for cases which are no negatives, (B,).

    Where a share of the other cases is like the anchor's own, the sum over true negatives is
    (Σ − share · count · exp(positive)) / (1 − share), and no less than unit vectors can give.

    Args:
        log_sum: log Σ exp(logit) over each anchor's negatives, (B,).
        positive: Similarity of each anchor to its positive, (B,).
        count: How many negatives these are, (B,) or a scalar.
        temperature: Softmax temperature, > 0.
        share: τ⁺ in [0, 1): how many of the other cases are like an anchor's own.

    Source: Chuang et al. 2020, Eqs. 7 and 8, with one positive.
    """
    if not share:
        return log_sum
    part = positive / temperature + math.log(share) + count.log() - log_sum
    # Clamped before the logarithm: where it is not taken, its gradient would be NaN all the same.
    left = torch.log(-torch.expm1(part.clamp(max=JUST_BELOW)))
    least = (count.log() - 1 / temperature).expand_as(log_sum)
    cleared = torch.where(part < JUST_BELOW, log_sum + left - math.log1p(-share), least)
    return torch.maximum(cleared, least)
