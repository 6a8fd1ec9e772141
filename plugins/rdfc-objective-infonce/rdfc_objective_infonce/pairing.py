"""Controls that destroy the correspondence: views of different cases are paired.

Cases stand on a cycle, a random order whose end meets its start. View number v is taken from the
case v places further on, so that any two of V ≤ N views come from different cases, and two views
that are each paired with a third are paired with each other, too: no true pair comes back by way
of the third.
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

    def update(self, indices: Tensor, embeddings: Tensor) -> None:
        """Take in the partners' embeddings (B, D)."""
        self.store.update(self._partners(indices), embeddings)

    def _partners(self, indices: Tensor) -> Tensor:
        return self.partner[indices.to(self.partner.device)]


def partners(cycle: Tensor, shift: int, cases: int) -> Tensor:
    """Each of N cases → the case ``shift`` places further on the cycle, (N,).

    Args:
        cycle: (n,), n ≤ N different cases; those not on it are their own partners.
        shift: Places forward, or backward if negative.
        cases: N.
    """
    table = torch.arange(cases, device=cycle.device)
    table[cycle] = cycle.roll(-shift)
    return table


def pair_by_cycle(memory: Memory, cycle: Tensor, shift: int) -> Memory:
    """Both memories, so that for either view the positive is a fixed other case's row.

    The embeddings of the batch keep their own cases: a partner is seldom in the same batch.

    Args:
        memory: The true memories.
        cycle: (N,), all cases.
        shift: How many places the second view's case lies beyond the first's.
    """
    forward, backward = (partners(cycle, places, len(cycle)) for places in (shift, -shift))
    return replace(memory, a=Relabelled(memory.a, backward), b=Relabelled(memory.b, forward))


def pair_within_batch(
    b: Tensor, memory: Memory, cycle: Tensor, shift: int, cases: int
) -> tuple[Tensor, Memory]:
    """The second view's embeddings moved to other cases of the batch, and its memory renamed so.

    Args:
        b: (B, D), embeddings of the second view.
        memory: The true memories; its indices stay those of the first view.
        cycle: (n,), the batch's different cases in a random order.
        shift: How many places the second view's case lies beyond the first's.
        cases: N.
    """
    table = partners(cycle, shift, cases)
    indices = memory.indices.to(table.device)
    # (B, B): where each row's partner stands; of a case that stands twice, its first row.
    rows = (table[indices].unsqueeze(1) == indices.unsqueeze(0)).int().argmax(1)
    return b[rows.to(b.device)], replace(memory, b=Relabelled(memory.b, table))


def random_cycle(indices: Tensor, views: int, generator: torch.Generator) -> Tensor:
    """The different cases among ``indices`` in a random order, (n,).

    Raises:
        ShapeError: If there are fewer cases than views: two views would meet in one case.
    """
    cases: Tensor = torch.unique(indices)
    if len(cases) < views:
        raise ShapeError(
            f"pretext.pairing takes {views} views from different cases, and there are "
            f"{len(cases)} to shuffle. Add cases, raise the batch size, or use pairing: true."
        )
    order = torch.randperm(len(cases), generator=generator).to(cases.device)
    return cases.index_select(0, order)
