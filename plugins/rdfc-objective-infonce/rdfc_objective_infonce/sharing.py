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
    draws; but an anchor's negatives differ from each other, and anchors have most in common.

    Args:
        cases: (K,), all different.
        substitutes: (B, D), for each anchor the row of another case.
    """

    cases: Tensor
    substitutes: Tensor


def draw_shared(
    store: MemoryStore, k: int, indices: Tensor, generator: torch.Generator
) -> SharedDraw:
    """Draw negatives for a batch, at a cost that does not depend on N.

    Args:
        store: Holds N rows.
        k: K, at most N.
        indices: (B,), the anchors' own cases.
        generator: On the CPU; the only source of randomness.

    Raises:
        ShapeError: If there are fewer than K cases, or no other case (N < 2).
    """
    if k > store.rows:
        raise ShapeError(
            f"objective.negatives_per: batch draws {k} different cases, and the memory holds "
            f"{store.rows}: lower objective.negatives, or use negatives_per: case."
        )
    cases = one_a_stretch(store.rows, k, generator)
    substitutes = store.negatives(1, indices, generator).squeeze(1)
    return SharedDraw(onto(substitutes.device, cases), substitutes)


def one_a_stretch(n: int, k: int, generator: torch.Generator) -> Tensor:
    """K different of 0 … n − 1, each with the probability K / n, (K,) on the CPU.

    The numbers lie on a circle that is cut, at a random place, into K stretches of nearly equal
    length; one of each stretch is drawn. Without the turn, numbers of the longer stretches would
    be drawn more seldom.
    """
    edges = torch.arange(k + 1) * n // k
    # float64: a product of float32 may be rounded up to the length itself.
    places = torch.rand(k, generator=generator, dtype=torch.float64) * edges.diff()
    turn = torch.randint(n, (), generator=generator)
    return (edges[:-1] + places.long() + turn) % n


def onto(device: torch.device, drawn: Tensor) -> Tensor:
    """A tensor of the CPU on the device; the CPU does not wait for a GPU's earlier work."""
    if device.type == "cuda":
        drawn = drawn.pin_memory()  # copies from other memory wait
    return drawn.to(device, non_blocking=True)


def own_places(cases: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """Where among candidates the anchors' own cases stand.

    Args:
        cases: (C,), all different, in any order.
        indices: (B,), the anchors' own cases, on the same device.

    Returns:
        The places (B, 1), and whether the own case stands there, (B, 1): if not, it is nowhere.
    """
    # Sorting costs a tenth of comparing each of the C cases with each anchor's.
    order = cases.argsort()
    found = torch.searchsorted(cases, indices, sorter=order).clamp(max=len(cases) - 1)
    places = order[found]
    return places.unsqueeze(1), (cases[places] == indices).unsqueeze(1)


def shared_similarities(
    anchors: Tensor, store: MemoryStore, draw: SharedDraw, indices: Tensor
) -> Tensor:
    """Similarities of each anchor to its K negatives, (B, K), with gradient to the anchors."""
    products = anchors @ store.read(draw.cases).T
    places, here = own_places(draw.cases, indices.to(products.device))
    instead = (anchors * draw.substitutes).sum(1, keepdim=True)
    return products.scatter(1, places, torch.where(here, instead, products.gather(1, places)))
