"""One direction of the loss: anchors of one view against candidates of the other.

Similarities are cosines of unit-length embeddings; logits are similarities over the temperature.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Others:
    """An anchor's similarities to all other cases, summed up.

    Args:
        log_sum: log Σ exp(logit) over its negatives, (B,); carries the gradient.
        mean: Mean similarity to its negatives, (B,), without gradient.
        highest: Similarity to the nearest negative, (B,), without gradient.
    """

    log_sum: Tensor
    mean: Tensor
    highest: Tensor


def others_of(similarities: Tensor, temperature: float, own: Tensor | None = None) -> Others:
    """Sum up the similarities to K negatives.

    Args:
        similarities: (B, K).
        temperature: Softmax temperature, > 0.
        own: (B, K), True where a candidate is the anchor's own case and therefore no negative; at
            least one candidate a row is another case.
    """
    seen = similarities.detach()
    if own is None:
        log_sum = torch.logsumexp(similarities / temperature, dim=1)
        return Others(log_sum, seen.mean(1), seen.amax(1))
    logits = (similarities / temperature).masked_fill(own, -math.inf)
    mean = seen.masked_fill(own, 0).sum(1) / (~own).sum(1)
    return Others(torch.logsumexp(logits, dim=1), mean, seen.masked_fill(own, -math.inf).amax(1))


def info_nce(
    positive: Tensor, others: Tensor, temperature: float, *, positive_in_denominator: bool = True
) -> Tensor:
    """Mean −log of the share that the positive has of the softmax's sum, in nats.

    Args:
        positive: Similarity of each anchor to its positive, (B,).
        others: log Σ exp(logit) over each anchor's negatives, (B,).
        temperature: Softmax temperature, > 0.
        positive_in_denominator: Whether the sum holds the positive as well.

    Source: van den Oord et al. 2018; Zhao & Yang 2021, Eq. 1. Without the positive in the sum:
    Yeh et al. 2022, decoupled contrastive learning.
    """
    logit = positive / temperature
    total = torch.logaddexp(logit, others) if positive_in_denominator else others
    return (total - logit).mean()


def nce(
    positive: Tensor, negatives: Tensor, temperature: float, log_z: Tensor, rows: int
) -> Tensor:
    """Mean binary cross-entropy of telling the positive from K draws of noise, in nats.

    With p(s) = exp(s / temperature) / Z and uniform noise 1 / N, a candidate is data with
    probability h(s) = p(s) / (p(s) + K / N); the loss is −log h(positive) − Σ log(1 − h(negative)).

    Args:
        positive: Similarity of each anchor to its positive, (B,).
        negatives: Similarities to its K negatives, (B, K).
        temperature: Softmax temperature, > 0.
        log_z: log Z, a scalar without gradient.
        rows: N.

    Source: Gutmann & Hyvärinen 2010; Wu et al. 2018.
    """
    offset = log_z + math.log(negatives.shape[1] / rows)
    is_data = positive / temperature - offset
    is_noise = offset - negatives / temperature
    log_sigmoid = torch.nn.functional.logsigmoid
    return -(log_sigmoid(is_data) + log_sigmoid(is_noise).sum(1)).mean()


@torch.no_grad()
def estimate_log_z(positive: Tensor, negatives: Tensor, temperature: float, rows: int) -> Tensor:
    """Log of Z = N · mean exp(logit) over a batch's candidates, positives included; a scalar.

    Args:
        positive: (B,) similarities.
        negatives: (B, K) similarities.
        temperature: Softmax temperature, > 0.
        rows: N.

    Source: Wu et al. 2018, which keeps the value of the first batch.
    """
    logits = torch.cat([positive, negatives.flatten()]) / temperature
    return torch.logsumexp(logits, dim=0) + math.log(rows / len(logits))
