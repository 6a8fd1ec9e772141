"""The memory bank: one remembered embedding a case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from rdfc_core.errors import ShapeError
from rdfc_core.interfaces import MemoryStore, at_least_single
from rdfc_objective_infonce.config import MemoryBankConfig
from rdfc_objective_infonce.shared_negatives import onto

CHUNK_ROWS = 8192
"""Rows handed out at once: 4 MiB at D = 128."""

ROWS_PER_NEGATIVE = 32
"""Up to N = 32 K, products with all rows are quicker than a copy of B × K rows (measured on a CPU
at B = 64, K = 2048, D = 128: over 20 times at N = 3000, equal near N = 90 000)."""


class MemoryBank(MemoryStore):
    """An N × D table of embeddings, each an exponential mean of those its case has had.

    An update and a draw cost the same for any N. The table is a buffer: it is saved with the
    checkpoint, and `load_state_dict` restores it once `allocate` has given it its size.

    With ``update: epoch`` new rows wait in a second table until the epoch ends. Taken in at once,
    they make the memory's rows differ in age by their use: an epoch shows each case once, so that
    a positive was written 1 epoch ago on average and its negatives 7/12 of one. What the tower
    has drifted by in between is common to all negatives, anchors learn to avoid it, and the
    two views drive each other apart. Rows that are taken in together are, on average, of one age.

    Source: Wu et al. 2018 (NPID); Tian et al. 2020 (CMC) for one bank a view.
    """

    bank: Tensor
    waiting: Tensor

    def __init__(self, config: MemoryBankConfig) -> None:
        super().__init__()
        self.momentum = config.momentum
        dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[config.dtype]
        self.keeps = dtype
        self.waits = config.update == "epoch"
        self.register_buffer("bank", torch.empty(0, 0, dtype=dtype))
        # Empty between epochs, when checkpoints are written.
        self.register_buffer("waiting", torch.empty(0, 0, dtype=dtype), persistent=False)
        self.register_load_state_dict_post_hook(_forget_waiting)  # type: ignore[no-untyped-call]

    def allocate(self, rows: int, width: int, generator: torch.Generator) -> None:
        """Fill N rows uniformly in ±1/√(D/3): their expected squared norm is 1."""
        bound = (3 / width) ** 0.5
        bank = torch.rand(rows, width, generator=generator).mul_(2 * bound).sub_(bound)
        self.bank = bank.to(self.bank)
        self._forget()

    @property
    def rows(self) -> int:
        """N, the number of cases; 0 before `allocate`."""
        return len(self.bank)

    def read(self, indices: Tensor) -> Tensor:
        """The rows of the cases ``indices`` (B,) → (B, D), a copy without gradient."""
        rows = self.bank.index_select(0, indices.to(self.bank.device, non_blocking=True))
        return at_least_single(rows)

    def negatives(self, k: int, exclude: Tensor, generator: torch.Generator) -> Tensor:
        """K rows for each of B cases, uniformly and with replacement from the other N − 1.

        Args:
            k: K, the number of negatives a case.
            exclude: (B,), for each row the one case that must not be drawn.
            generator: On the CPU; the only source of randomness.

        Returns:
            (B, K, D), without gradient.

        Raises:
            ShapeError: If there is no other case to draw (N < 2).
        """
        drawn = self._draw(k, exclude, generator)
        return self.read(drawn.view(-1)).view(*drawn.shape, -1)

    def similarities(
        self, anchors: Tensor, k: int, exclude: Tensor, generator: torch.Generator
    ) -> Tensor:
        """As `MemoryStore.similarities`, (B, K): by one product with all rows if they are few."""
        if self.rows > ROWS_PER_NEGATIVE * k:
            return super().similarities(anchors, k, exclude, generator)
        drawn = self._draw(k, exclude, generator)
        return (anchors @ self.bank.to(anchors.dtype).T).gather(1, drawn)

    def _draw(self, k: int, exclude: Tensor, generator: torch.Generator) -> Tensor:
        return draw_others(self.rows, k, exclude, generator, self.bank.device)

    def all_chunks(self) -> Iterator[tuple[Tensor, Tensor]]:
        """All rows in pieces: (indices (C,), embeddings (C, D)), to be read and not written."""
        for start in range(0, self.rows, CHUNK_ROWS):
            rows = at_least_single(self.bank[start : start + CHUNK_ROWS])
            yield torch.arange(start, start + len(rows), device=rows.device), rows

    @torch.no_grad()
    def update(self, indices: Tensor, embeddings: Tensor) -> None:
        """Each row ← normalise(momentum · row + (1 − momentum) · embedding).

        A case that stands in the batch twice counts once, with the mean of its embeddings.

        Args:
            indices: (B,) which cases.
            embeddings: Their newest embeddings, (B, D).

        Raises:
            ShapeError: If the embeddings are not (B, D).
        """
        if self.waits and not len(self.waiting):
            self.waiting = self.bank.clone()
        table = self.waiting if self.waits else self.bank
        self._take_in(table, indices, embeddings, self.momentum)

    @torch.no_grad()
    def begin(self, indices: Tensor, embeddings: Tensor) -> None:
        """Each row ← its embedding, at once: nothing is kept of the random ones."""
        self._take_in(self.bank, indices, embeddings, 0.0)

    def end_epoch(self) -> None:
        """With ``update: epoch``: take in what has waited."""
        if len(self.waiting):
            self.bank.copy_(self.waiting)
            self._forget()

    def _forget(self) -> None:
        self.waiting = self.bank.new_empty(0, 0)

    def _take_in(self, table: Tensor, indices: Tensor, embeddings: Tensor, momentum: float) -> None:
        require_shape(embeddings, (len(indices), self.bank.shape[1]))
        cases = indices.to(table.device)
        fresh = at_least_single(embeddings.to(table.device))
        # Where each row's case stands first in the batch. Sums of one row hold that row itself.
        first = (cases.unsqueeze(1) == cases).int().argmax(1)
        sums = torch.zeros_like(fresh).index_add_(0, first, fresh)
        counts = fresh.new_zeros(len(cases), 1).index_add_(0, first, torch.ones_like(fresh[:, :1]))
        rows = torch.lerp((sums / counts)[first], at_least_single(table[cases]), momentum)
        # Rows of one case are equal, so that it is the same which is written last.
        table.index_copy_(0, cases, F.normalize(rows, dim=1).to(table.dtype))


def _forget_waiting(bank: MemoryBank, _: Any) -> None:
    """Rows of another course of training."""
    bank._forget()


def draw_others(
    rows: int, k: int, exclude: Tensor, generator: torch.Generator, device: torch.device
) -> Tensor:
    """(B, K) cases of N, on the device, uniformly and with replacement; never the excluded (B,).

    Raises:
        ShapeError: If there is no other case to draw (N < 2).
    """
    if rows < 2:
        raise ShapeError(
            f"Negatives need another case, and the memory holds {rows}: "
            "pretrain on at least 2 cases."
        )
    drawn = onto(device, torch.randint(rows - 1, (len(exclude), k), generator=generator))
    # The draw skips over the excluded case instead of rejecting it: N − 1 values, one gap.
    drawn += drawn >= exclude.to(device).unsqueeze(1)
    return drawn


def require_shape(embeddings: Tensor, expected: tuple[int, int]) -> None:
    """Refuse embeddings that are not those of the batch, at the bank's width.

    Raises:
        ShapeError: If their shape is another than (B, D).
    """
    if embeddings.shape != expected:
        raise ShapeError(
            f"The memory expects embeddings of shape {expected} and got "
            f"{tuple(embeddings.shape)}: embed every case of the batch at the bank's width."
        )
