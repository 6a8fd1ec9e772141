"""One row a case, moved towards each new embedding."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from rdfc_core import ShapeError
from rdfc_core.interfaces import MemoryStore

from .config import ExampleConfig

CHUNK = 1024


class Example(MemoryStore):
    """A table of N unit-length embeddings.

    Source: Wu et al. 2018, Sect. 3.3.
    """

    table: Tensor

    def __init__(self, config: ExampleConfig) -> None:
        super().__init__()
        self.config = config
        # A buffer: saved with the checkpoint and moved with the model, but not trained.
        self.register_buffer("table", torch.zeros(0, 0))

    def allocate(self, rows: int, width: int, generator: torch.Generator) -> None:
        """N = ``rows`` random directions of D = ``width`` numbers."""
        start = torch.randn(rows, width, generator=generator).to(self.table.device)
        self.table = functional.normalize(start, dim=1)

    @property
    def rows(self) -> int:
        """N, the number of cases."""
        return len(self.table)

    @torch.no_grad()
    def read(self, indices: Tensor) -> Tensor:
        """The rows of the cases, (B,) → (B, D)."""
        return self.table[indices]

    @torch.no_grad()
    def negatives(self, k: int, exclude: Tensor, generator: torch.Generator) -> Tensor:
        """K rows for each of B cases, drawn with replacement from the other N − 1, (B, K, D).

        Raises:
            ShapeError: If there is no other case.
        """
        if self.rows < 2:
            raise ShapeError(
                f"The memory holds {self.rows} case(s), so there is no other case to draw. "
                "Pretrain on at least two cases."
            )
        # Drawn from N − 1 places; those from the own place on stand for the next one.
        drawn = torch.randint(self.rows - 1, (len(exclude), k), generator=generator)
        drawn = drawn.to(exclude.device)
        return self.table[drawn + (drawn >= exclude[:, None])]

    def all_chunks(self) -> Iterator[tuple[Tensor, Tensor]]:
        """All rows, a thousand at a time."""
        for indices in torch.arange(self.rows, device=self.table.device).split(CHUNK):
            yield indices, self.table[indices]

    @torch.no_grad()
    def update(self, indices: Tensor, embeddings: Tensor) -> None:
        """Move the rows of the cases towards their new embeddings."""
        # A case that stands in the batch twice counts once, with the mean of its embeddings.
        cases, place = indices.unique(return_inverse=True)
        total = embeddings.new_zeros(len(cases), embeddings.shape[1])
        total.index_add_(0, place, embeddings)
        fresh = total / place.bincount()[:, None]
        momentum = self.config.momentum
        mixed = momentum * self.table[cases] + (1 - momentum) * fresh
        self.table[cases] = functional.normalize(mixed, dim=1)
