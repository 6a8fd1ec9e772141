"""An anchor's candidates summed up while they pass: nothing of size (B, K) or (B, N) is kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from rdfc_core.interfaces import MemoryStore
from rdfc_objective_infonce.contrast import Others
from rdfc_objective_infonce.sharing import SharedDraw, own_places

LOGITS_AT_ONCE = {"cpu": 2**18, "cuda": 2**25}
"""Logits of one pass: 1 MiB, so that they stay in a core's cache; on a GPU 128 MiB, so that the
calls themselves take no time."""


class RunningSum:
    """log Σ exp(logit) over the negatives of B anchors, and its gradient with respect to them.

    The gradient, the softmax-weighted mean row over the temperature, is accumulated beside the sum,
    in the same pass. It is exact, not an estimate.

    Source: Milakov & Gimelshein 2018 for the sum; Rabe & Staats 2021 for rows weighted by it.
    """

    def __init__(self, anchors: Tensor, indices: Tensor, temperature: float) -> None:
        """Begin with no candidates.

        Args:
            anchors: Unit-length embeddings, (B, D).
            indices: (B,), the anchors' own cases.
            temperature: Softmax temperature, > 0.
        """
        self.anchors, self.temperature = anchors, temperature
        self.indices = indices.to(anchors.device)
        self.scaled = anchors.detach() / temperature  # its products are logits
        # The lowest finite number, not −∞: −∞ − −∞ is NaN where only the own case has passed.
        lowest = torch.finfo(anchors.dtype).min
        self.highest = self.scaled.new_full((len(anchors), 1), lowest)
        self.total, self.left_out = (torch.zeros_like(self.highest) for _ in range(2))
        self.weighted = torch.zeros_like(self.scaled)
        self.row_sum = self.scaled.new_zeros(anchors.shape[1])
        self.met_own = torch.zeros_like(self.highest, dtype=torch.bool)

    def add(self, cases: Tensor, rows: Tensor) -> None:
        """Take in candidates, and leave out each anchor's own case.

        Args:
            cases: (C,), all different.
            rows: Their embeddings, (C, D).
        """
        rows = rows.to(self.scaled)
        logits = self.scaled @ rows.T
        places, here = own_places(cases, self.indices)
        own = logits.gather(1, places)
        logits.scatter_(1, places, own.masked_fill(here, -math.inf))
        self.met_own |= here
        self.left_out += own.masked_fill(~here, 0)
        self.row_sum += rows.sum(0)
        highest = logits.amax(1, keepdim=True)
        self._raise(highest)
        weights = logits.sub_(self.highest).exp_()
        self.total += weights.sum(1, keepdim=True)
        self.weighted.addmm_(weights, rows)

    def replace_own(self, substitutes: Tensor) -> None:
        """Take in one more row an anchor, (B, D), where its own case was left out."""
        rows = substitutes.to(self.scaled)
        logits = (self.scaled * rows).sum(1, keepdim=True)
        self.left_out -= logits.masked_fill(~self.met_own, 0)
        logits = logits.masked_fill(~self.met_own, -math.inf)
        self._raise(logits)
        weights = logits.sub_(self.highest).exp_()
        self.total += weights
        self.weighted.addcmul_(weights, rows)

    def others(self, count: int) -> Others:
        """What has passed, which makes ``count`` negatives an anchor."""
        log_sum = (self.highest + self.total.log()).squeeze(1)
        slope = self.weighted / (self.total * self.temperature)
        # Adds exactly 0 to the value, and `slope` to the gradient.
        log_sum = log_sum + ((self.anchors - self.anchors.detach()) * slope).sum(1)
        added = self.scaled @ self.row_sum - self.left_out.squeeze(1)
        to_similarity = self.temperature
        return Others(
            log_sum, added * (to_similarity / count), self.highest.squeeze(1) * to_similarity
        )

    def _raise(self, highest: Tensor) -> None:
        """Count from the highest logit so far, so that no exponential overflows."""
        raised = torch.maximum(self.highest, highest)
        shrink = torch.exp(self.highest - raised)
        self.total *= shrink
        self.weighted *= shrink
        self.highest = raised


def others_in_memory(
    anchors: Tensor, store: MemoryStore, indices: Tensor, temperature: float
) -> Others:
    """Sum up the similarities to every row of the memory but the anchor's own.

    Args:
        anchors: Unit-length embeddings, (B, D).
        store: Holds N ≥ 2 rows of D.
        indices: (B,), the anchors' own cases.
        temperature: Softmax temperature, > 0.
    """
    running = RunningSum(anchors, indices, temperature)
    for cases, rows in _pieces(store.all_chunks(), _rows_at_once(anchors)):
        running.add(cases, rows)
    return running.others(store.rows - 1)


def others_shared(
    anchors: Tensor, store: MemoryStore, draw: SharedDraw, indices: Tensor, temperature: float
) -> Others:
    """Sum up the similarities to K negatives that the batch shares.

    Args:
        anchors: Unit-length embeddings, (B, D).
        store: Holds N ≥ 2 rows of D.
        draw: Which K.
        indices: (B,), the anchors' own cases.
        temperature: Softmax temperature, > 0.
    """
    running = RunningSum(anchors, indices, temperature)
    for cases in draw.cases.split(_rows_at_once(anchors)):
        running.add(cases, store.read(cases))
    running.replace_own(draw.substitutes)
    return running.others(len(draw.cases))


def _rows_at_once(anchors: Tensor) -> int:
    logits = LOGITS_AT_ONCE.get(anchors.device.type, LOGITS_AT_ONCE["cuda"])
    return max(256, logits // len(anchors))


def _pieces(chunks: Iterable[tuple[Tensor, Tensor]], size: int) -> Iterator[tuple[Tensor, Tensor]]:
    for cases, rows in chunks:
        yield from zip(cases.split(size), rows.split(size), strict=True)
