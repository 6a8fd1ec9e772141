"""Negatives that a whole batch shares: K different cases, drawn anew at every step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rdfc_core.errors import ShapeError
from rdfc_core.interfaces import MemoryStore


@dataclass(frozen=True, eq=False)
class SharedDraw:
    """K cases for a batch of B anchors, each of which has K negatives of its own among them.

    Where an anchor's own case is among the shared ones, its substitute stands in for it. So each
    negative of each anchor is drawn uniformly from the other N − 1, as `MemoryStore.negatives`
    draws; but the shared ones differ from each other, and all anchors have them in common.

    Args:
        cases: (K,), all different.
        places: (B, 1), where each anchor's own case stands among them, if it does.
        own: (B, 1), whether it does.
        substitutes: (B, D), for each anchor the row of another case.
    """

    cases: Tensor
    places: Tensor
    own: Tensor
    substitutes: Tensor


def draw_shared(
    store: MemoryStore, k: int, indices: Tensor, generator: torch.Generator
) -> SharedDraw:
    """Draw negatives for a batch, at a cost that does not depend on N.

    The cases lie on a circle that is cut, at a random place, into K stretches of nearly equal
    length; one of each stretch is drawn. Without the turn, the cases of the longer stretches would
    be drawn more seldom.

    Args:
        store: Holds N rows.
        k: K, at most N.
        indices: (B,), the anchors' own cases.
        generator: On the CPU; the only source of randomness.

    Raises:
        ShapeError: If there are fewer than K cases, or no other case (N < 2).
    """
    n = store.rows
    if k > n:
        raise ShapeError(
            f"objective.negatives_per: batch draws {k} different cases, and the memory holds {n}: "
            "lower objective.negatives, or use negatives_per: case."
        )
    edges = torch.arange(k + 1) * n // k
    # float64: a product of float32 may be rounded up to the length itself.
    steps = torch.rand(k, generator=generator, dtype=torch.float64) * edges.diff()
    turn = torch.randint(n, (), generator=generator)
    substitutes = store.negatives(1, indices, generator).squeeze(1)
    drawn = onto(substitutes.device, edges[:-1] + steps.long())
    own = (indices.to(drawn.device) - turn) % n
    places = torch.searchsorted(drawn, own).clamp(max=k - 1)
    here = drawn[places] == own
    return SharedDraw((drawn + turn) % n, places.unsqueeze(1), here.unsqueeze(1), substitutes)


def onto(device: torch.device, drawn: Tensor) -> Tensor:
    """A tensor of the CPU on the device; the CPU does not wait for a GPU's earlier work."""
    if device.type == "cuda":
        drawn = drawn.pin_memory()  # copies from other memory wait
    return drawn.to(device, non_blocking=True)


def shared_similarities(anchors: Tensor, store: MemoryStore, draw: SharedDraw) -> Tensor:
    """Similarities of each anchor to its K negatives, (B, K), with gradient to the anchors."""
    products = anchors @ store.read(draw.cases).T
    instead = (anchors * draw.substitutes).sum(1, keepdim=True)
    kept = torch.where(draw.own, instead, products.gather(1, draw.places))
    return products.scatter(1, draw.places, kept)
