"""The newest embeddings, whosever they are."""

from __future__ import annotations

import torch
from torch import Tensor

from rdfc_core import ShapeError
from rdfc_core.interfaces import MemoryQueue

from .config import ExampleConfig


class Example(MemoryQueue):
    """A table into whose top new rows are pushed; what falls off its end is forgotten.

    Source: He et al. 2020, Sect. 3.2.
    """

    cases: Tensor
    table: Tensor

    def __init__(self, config: ExampleConfig) -> None:
        super().__init__()
        self.config = config
        # Buffers: saved with the checkpoint and moved with the model, but not trained.
        self.register_buffer("cases", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("table", torch.zeros(0, 0))

    def allocate(self, cases: int, width: int) -> None:
        """Empty places of D = ``width`` numbers: of few cases, no more than one each."""
        size = min(self.config.size, cases)
        self.cases = torch.full((size,), -1, device=self.cases.device)
        self.table = torch.zeros(size, width, device=self.table.device)

    @property
    def capacity(self) -> int:
        """How many rows it holds at most."""
        return len(self.table)

    @torch.no_grad()
    def read(self) -> tuple[Tensor, Tensor]:
        """Whose each row is, (K,), and the rows, (K, D)."""
        return self.cases.clone(), self.table.clone()

    @torch.no_grad()
    def push(self, indices: Tensor, embeddings: Tensor) -> None:
        """The new rows on top; those at the end go.

        Raises:
            ShapeError: If the embeddings are not (B, D).
        """
        expected = (len(indices), self.table.shape[1])
        if embeddings.shape != expected:
            raise ShapeError(
                f"Embeddings of shape {tuple(embeddings.shape)} came, and {expected} were "
                "expected. Push a row for each case of the batch."
            )
        newest = slice(-self.capacity, None)
        rows = torch.cat([self.table, embeddings.to(self.table)])[newest]
        self.cases.copy_(torch.cat([self.cases, indices.to(self.cases)])[newest])
        self.table.copy_(rows)
