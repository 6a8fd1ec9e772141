"""MemoryStore: remembers one embedding a case, so that a step has more negatives than its batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch
from torch import Tensor, nn


class MemoryStore(nn.Module, ABC):
    """N embeddings of D numbers, one a case. Built as ``Class(config)``, then `allocate`.

    Its content belongs in buffers, so that it is saved with the checkpoint. All calls are
    collective: no one sees the raw tensor, so that a store may be spread over processes.

    Attributes:
        keeps: What rows are kept in. float32, unless an option asks for fewer digits: a store says
            so here. `read` gives float32 in any case.
    """

    keeps: torch.dtype = torch.float32

    @abstractmethod
    def allocate(self, rows: int, width: int, generator: torch.Generator) -> None:
        """Make room for N = ``rows`` cases of D = ``width`` and fill it with random rows.

        Called:
            Once a training, by the pretext, before the first step.
        """

    @property
    @abstractmethod
    def rows(self) -> int:
        """N, the number of cases.

        Called:
            By whoever draws from it.
        """

    @abstractmethod
    def read(self, indices: Tensor) -> Tensor:
        """The remembered embeddings of the cases ``indices`` (B,) → (B, D), without gradient.

        Called:
            By objectives that look cases up, inside a step.
        """

    @abstractmethod
    def negatives(self, k: int, exclude: Tensor, generator: torch.Generator) -> Tensor:
        """K embeddings for each of B cases, drawn with replacement from the other N − 1.

        Args:
            k: K, the number of negatives a case.
            exclude: (B,), for each row the one case that must not be drawn: its own.
            generator: On the CPU; the only source of randomness.

        Returns:
            (B, K, D), without gradient.

        Raises:
            ShapeError: If there is no other case to draw (N < 2).

        Called:
            By objectives that draw rows, inside a step.
        """

    def similarities(
        self, anchors: Tensor, k: int, exclude: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Products of each anchor with the K rows that `negatives` draws for it.

        A store that can multiply without handing its rows over does so here, which is much
        quicker, and the only way for one that is spread over processes.

        Args:
            anchors: (B, D).
            k: K, the number of negatives a case.
            exclude: (B,), for each anchor the one case that must not be drawn.
            generator: On the CPU; the only source of randomness.

        Returns:
            (B, K), with gradient to the anchors.

        Raises:
            ShapeError: If there is no other case to draw (N < 2).

        Called:
            By objectives that need products alone, inside a step.
        """
        drawn = self.negatives(k, exclude, generator)
        # In this order: with the anchors second, forward and backward take twice as long on a CPU.
        return torch.bmm(anchors.unsqueeze(1), drawn.transpose(1, 2)).squeeze(1)

    @abstractmethod
    def all_chunks(self) -> Iterator[tuple[Tensor, Tensor]]:
        """All rows in pieces: (indices (C,), embeddings (C, D)), every case exactly once.

        Called:
            By objectives over all cases, inside a step, and where a store is checked.
        """

    def begin(self, indices: Tensor, embeddings: Tensor) -> None:
        """Take in the first embeddings (B, D) of the cases ``indices``, before any step.

        By default as `update` does; a store whose update keeps a share of the old row puts these
        in the place of its random rows.

        Called:
            Once for every batch of all cases before the first step, where the pretext primes its
            memories.
        """
        self.update(indices, embeddings)

    @abstractmethod
    def update(self, indices: Tensor, embeddings: Tensor) -> None:
        """Take in this step's embeddings (B, D) of the cases ``indices`` (B,).

        At once, or by the time that `end_epoch` is called. A case that stands in the batch twice
        counts once, with the mean of its embeddings.

        Called:
            After every optimiser step, in every process of a training alike, with the whole batch.
        """

    def end_epoch(self) -> None:
        """Called when every case has been shown once more; by default nothing.

        After the epoch's last `update`, and before a checkpoint is written: what a store holds
        back until now is no part of the checkpoint.
        """
        return
