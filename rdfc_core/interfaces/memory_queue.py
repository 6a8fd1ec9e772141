"""MemoryQueue: the newest embeddings, so that a step has more negatives than its batch."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class MemoryQueue(nn.Module, ABC):
    """K embeddings of D numbers, the newest. Built as ``Class(config)``, then `allocate`.

    Other than a `MemoryStore` it has no row a case: a case may stand in it twice, or not at all,
    and cannot be looked up. It says whose each row is, so that no case is contrasted with an older
    embedding of itself.

    A pretext keeps it and calls it: `push` from its ``after_step``, with the whole batch, in every
    process of a training alike. Its content belongs in buffers, so that it is saved with the
    checkpoint.

    Attributes:
        keeps: What rows are kept in. float32, unless an option asks for fewer digits: a queue says
            so here. `read` gives float32 in any case.
    """

    keeps: torch.dtype = torch.float32

    @abstractmethod
    def allocate(self, cases: int, width: int) -> None:
        """Make room for embeddings of D = ``width`` numbers, and be empty.

        Args:
            cases: N, how many cases are trained on. A queue may be shorter where there are few.
            width: D.

        Called:
            Once a training, by the pretext, before the first step.
        """

    @property
    @abstractmethod
    def capacity(self) -> int:
        """K, how many rows it holds at most; 0 before `allocate`.

        Called:
            By whoever reads from it.
        """

    @abstractmethod
    def read(self) -> tuple[Tensor, Tensor]:
        """All places in any order: whose each row is, (K,) int64, and the rows, (K, D).

        A place that is still empty has the case −1 and any finite row. Without gradient.

        Called:
            By `similarities`, inside a step, and where a queue is checked.
        """

    @abstractmethod
    def push(self, indices: Tensor, embeddings: Tensor) -> None:
        """Take in the embeddings (B, D) of the cases ``indices`` (B,), at once.

        They take empty places first and then those of the oldest rows; of a batch of more than K
        the last K are kept.

        Raises:
            ShapeError: If the embeddings are not (B, D).

        Called:
            After every optimiser step, in every process of a training alike, with the whole batch;
            by `moco` also for every batch of all cases before the first step.
        """

    def similarities(self, anchors: Tensor, exclude: Tensor) -> Tensor:
        """Products of each anchor with all rows; −∞ where a row is no negative.

        Args:
            anchors: (B, D).
            exclude: (B,), for each anchor the case whose rows do not count: its own.

        Returns:
            (B, K), with gradient to the anchors. Rows of that case, and empty places, are −∞.

        Called:
            At every step, by the pretext.
        """
        cases, rows = self.read()
        cases, own = cases.to(anchors.device), exclude.to(anchors.device)
        hidden = (cases[None, :] == own[:, None]) | (cases < 0)[None, :]
        return (anchors @ rows.to(anchors).T).masked_fill(hidden, -math.inf)
