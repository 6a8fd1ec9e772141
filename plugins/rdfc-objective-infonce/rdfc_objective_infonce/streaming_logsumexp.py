"""An anchor's candidates summed up while they pass: nothing of size (B, K) or (B, N) is kept."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rdfc_core.interfaces import MemoryStore
from rdfc_objective_infonce.losses import Others
from rdfc_objective_infonce.shared_negatives import SharedDraw

LOGITS_AT_ONCE = {"cpu": 2**18, "gpu": 2**25}
"""Logits of one pass: 1 MiB, so that they stay in a core's cache; on a GPU 128 MiB, so that there
are few calls."""


class RunningSum:
    """log Σ exp(logit) over the negatives of B anchors, and its gradient with respect to them.

    The gradient, the softmax-weighted mean row over the temperature, is accumulated beside the sum,
    in the same pass. It is exact, not an estimate.

    Source: Milakov & Gimelshein 2018 for the sum; Rabe & Staats 2021 for rows weighted by it.
    """

    def __init__(self, anchors: Tensor, temperature: float) -> None:
        """Begin with no candidates.

        Args:
            anchors: Unit-length embeddings, (B, D).
            temperature: Softmax temperature, > 0.
        """
        self.anchors, self.temperature = anchors, temperature
        # Logits count in powers of 2, of which a CPU computes three while it computes one of e.
        self.scale = 1 / (temperature * math.log(2))
        self.scaled = anchors.detach() * self.scale
        # The lowest finite number, not −∞: −∞ − −∞ is NaN where only the own case has passed.
        lowest = torch.finfo(anchors.dtype).min
        self.highest = self.scaled.new_full((len(anchors), 1), lowest)
        self.total, self.added = (torch.zeros_like(self.highest) for _ in range(2))
        self.weighted = torch.zeros_like(self.scaled)

    def add(self, rows: Tensor, places: Tensor, own: Tensor) -> None:
        """Take in candidates, and leave out each anchor's own case.

        Args:
            rows: Embeddings of different cases, (C, D).
            places: (B, 1), where each anchor's own case stands among them, if it does.
            own: (B, 1), whether it does.
        """
        rows = rows.to(self.scaled)
        logits = self.scaled @ rows.T
        found = logits.gather(1, places)
        logits.scatter_(1, places, found.masked_fill(own, -math.inf))
        self.added += (self.scaled @ rows.sum(0)).unsqueeze(1) - found.masked_fill(~own, 0)
        self._raise(logits.amax(1, keepdim=True))
        weights = logits.sub_(self.highest).exp2_()
        self.total += weights.sum(1, keepdim=True)
        self.weighted.addmm_(weights, rows)

    def add_one(self, rows: Tensor, taken: Tensor) -> None:
        """Take in one more candidate for some anchors.

        Args:
            rows: One a anchor, (B, D).
            taken: (B, 1), which anchors take theirs.
        """
        rows = rows.to(self.scaled)
        logits = (self.scaled * rows).sum(1, keepdim=True)
        self.added += logits.masked_fill(~taken, 0)
        logits = logits.masked_fill(~taken, -math.inf)
        self._raise(logits)
        weights = torch.exp2(logits - self.highest)
        self.total += weights
        self.weighted.addcmul_(weights, rows)

    def others(self, count: int) -> Others:
        """What has passed, which makes ``count`` negatives an anchor."""
        log_sum = (self.highest + self.total.log2()).squeeze(1) * math.log(2)
        slope = self.weighted / (self.total * self.temperature)
        # Adds exactly 0 to the value, and `slope` to the gradient.
        log_sum = log_sum + ((self.anchors - self.anchors.detach()) * slope).sum(1)
        mean = self.added.squeeze(1) / (self.scale * count)
        return Others(log_sum, mean, self.highest.squeeze(1) / self.scale)

    def _raise(self, highest: Tensor) -> None:
        """Count from the highest logit so far, so that no power overflows."""
        raised = torch.maximum(self.highest, highest)
        shrink = torch.exp2(self.highest - raised)
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
    running, size = RunningSum(anchors, temperature), _rows_at_once(anchors)
    for chunk, all_rows in store.all_chunks():
        own_cases = indices.to(chunk.device)
        for cases, rows in zip(chunk.split(size), all_rows.split(size), strict=True):
            running.add(rows, *_own_places(cases, own_cases))
    return running.others(store.rows - 1)


def others_shared(
    anchors: Tensor, store: MemoryStore, draw: SharedDraw, temperature: float
) -> Others:
    """Sum up the similarities to K negatives that the batch shares.

    Args:
        anchors: Unit-length embeddings, (B, D).
        store: Holds N ≥ 2 rows of D.
        draw: Which K.
        temperature: Softmax temperature, > 0.
    """
    running, start = RunningSum(anchors, temperature), 0
    for cases in draw.cases.split(_rows_at_once(anchors)):
        places = draw.places - start
        inside = (places >= 0) & (places < len(cases))
        running.add(store.read(cases), places.clamp(0, len(cases) - 1), draw.own & inside)
        start += len(cases)
    running.add_one(draw.substitutes, draw.own)
    return running.others(start)


def _rows_at_once(anchors: Tensor) -> int:
    logits = LOGITS_AT_ONCE["cpu" if anchors.device.type == "cpu" else "gpu"]
    return max(256, logits // len(anchors))


def _own_places(cases: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """Of different cases (C,) in any order: `RunningSum.add`'s places and own, (B, 1) each."""
    # Sorted, as it is dear to compare each case with each anchor's.
    order = cases.argsort()
    found = torch.searchsorted(cases, indices, sorter=order).clamp(max=len(cases) - 1)
    places = order[found]
    return places.unsqueeze(1), (cases[places] == indices).unsqueeze(1)
