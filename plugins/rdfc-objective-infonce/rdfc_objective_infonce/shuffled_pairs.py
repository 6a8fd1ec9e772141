"""Controls that destroy the correspondence: views of different cases are paired.

A *seating* is a (V, n) table: the cases that stand in one column are shown together, row v in view
v. A fixed shuffle seats each view of all N cases one place further round a random circle, so that
no true pair is left, and none comes back by way of a third view.

A shuffle made anew at every step must not say *anything* about who belongs to whom. Were a case's
true partner never its positive, the towers could learn to tell the two apart; were it so more often
than any other candidate, they could learn to find it. So it is the positive as often as any other:
once in N where candidates come from the memory of N cases, once in B where from the batch alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from rdfc_core.errors import ShapeError
from rdfc_core.interfaces import Memory, MemoryStore


class Relabelled(MemoryStore):
    """Another store under shuffled names: its row i is the other's row ``partner[i]``.

    The content stays where it is: only what counts as the same case changes.
    """

    def __init__(self, store: MemoryStore, partner: Tensor) -> None:
        """Wrap a store.

        Args:
            store: Holds N rows.
            partner: (N,), a permutation of the cases.
        """
        super().__init__()
        self.store = store
        self.partner = partner

    def allocate(self, rows: int, width: int, generator: torch.Generator) -> None:
        """Allocate the other store."""
        self.store.allocate(rows, width, generator)

    @property
    def rows(self) -> int:
        """N, the number of cases."""
        return self.store.rows

    def read(self, indices: Tensor) -> Tensor:
        """The partners' embeddings, (B,) → (B, D)."""
        return self.store.read(self._partners(indices))

    def negatives(self, k: int, exclude: Tensor, generator: torch.Generator) -> Tensor:
        """K embeddings for each case, of any case but its partner, (B, K, D)."""
        return self.store.negatives(k, self._partners(exclude), generator)

    def similarities(
        self, anchors: Tensor, k: int, exclude: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Similarities of each anchor to K embeddings of any case but its partner, (B, K)."""
        return self.store.similarities(anchors, k, self._partners(exclude), generator)

    def all_chunks(self) -> Iterator[tuple[Tensor, Tensor]]:
        """All rows in pieces, under the names of those whose partners they are."""
        named = torch.empty_like(self.partner)
        named[self.partner] = torch.arange(len(named), device=named.device)
        for indices, rows in self.store.all_chunks():
            yield named.to(indices.device)[indices], rows

    def begin(self, indices: Tensor, embeddings: Tensor) -> None:
        """Take in the partners' first embeddings (B, D)."""
        self.store.begin(self._partners(indices), embeddings)

    def update(self, indices: Tensor, embeddings: Tensor) -> None:
        """Take in the partners' embeddings (B, D)."""
        self.store.update(self._partners(indices), embeddings)

    def _partners(self, indices: Tensor) -> Tensor:
        return self.partner[indices.to(self.partner.device)]


def partners(seating: Tensor, view_a: int, view_b: int, cases: int) -> Tensor:
    """Each of N cases in one view → the case that the other view shows beside it, (N,).

    Args:
        seating: (V, n); cases that have no seat are their own partners.
        view_a: A row of the seating.
        view_b: Another row.
        cases: N.
    """
    table = torch.arange(cases, device=seating.device)
    table[seating[view_a]] = seating[view_b]
    return table


def pair_in_memory(memory: Memory, to_b: Tensor, to_a: Tensor) -> Memory:
    """Both memories, so that for either view the positive is a fixed other case's row.

    The embeddings of the batch keep their own cases: a partner is seldom in the same batch.

    Args:
        memory: The true memories.
        to_b: (N,), each case of the first view → its partner in the second.
        to_a: (N,), the other way round.
    """
    return replace(memory, a=Relabelled(memory.a, to_a), b=Relabelled(memory.b, to_b))


def pair_within_batch(b: Tensor, memory: Memory, to_b: Tensor) -> tuple[Tensor, Memory]:
    """The second view's embeddings moved to other cases of the batch, and its memory renamed so.

    Args:
        b: (B, D), embeddings of the second view.
        memory: The true memories; its indices stay those of the first view.
        to_b: (N,), each case of the first view → its partner in the second, of the same batch.
    """
    indices = memory.indices.to(to_b.device)
    # (B, B): where each row's partner stands; of a case that stands twice, its first row.
    rows = (to_b[indices].unsqueeze(1) == indices.unsqueeze(0)).int().argmax(1)
    return b[rows.to(b.device)], replace(memory, b=Relabelled(memory.b, to_b))


def apart(cases: Tensor, views: int, generator: torch.Generator) -> Tensor:
    """A seating in which no case is shown beside itself, (V, n).

    Args:
        cases: (n,), different cases.
        views: V.
        generator: On the CPU; the only source of randomness.

    Raises:
        ShapeError: If there are fewer cases than views: two views would meet in one case.
    """
    _refuse_too_few(cases, views)
    circle = cases[torch.randperm(len(cases), generator=generator).to(cases.device)]
    return torch.stack([circle.roll(-place) for place in range(views)])


def by_chance(cases: Tensor, views: int, candidates: int, generator: torch.Generator) -> Tensor:
    """A seating in which a case is shown beside itself as seldom as beside any candidate, (V, n).

    Args:
        cases: (n,), the different cases of the batch.
        views: V.
        candidates: Among how many a positive is looked for: N of a memory, or the batch's n.
        generator: On the CPU; the only source of randomness.

    Raises:
        ShapeError: As `apart`.
    """
    _refuse_too_few(cases, views)
    n = len(cases)
    # Seats drawn freely unite a true pair once in n; in n of N steps that makes once in N.
    if float(torch.rand((), generator=generator)) * candidates >= n:
        return apart(cases, views, generator)
    seats = [torch.randperm(n, generator=generator) for _ in range(views)]
    return cases[torch.stack(seats).to(cases.device)]


def _refuse_too_few(cases: Tensor, views: int) -> None:
    if len(cases) < views:
        raise ShapeError(
            f"pretext.pairing takes {views} views from different cases, and there are "
            f"{len(cases)} to shuffle. Add cases, raise the batch size, or use pairing: true."
        )
