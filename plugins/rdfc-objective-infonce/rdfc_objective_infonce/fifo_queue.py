"""The queue: the newest embeddings, whosever they are; the oldest make room."""

from __future__ import annotations

import torch
from torch import Tensor

from rdfc_core.errors import ShapeError
from rdfc_core.interfaces import MemoryQueue, at_least_single
from rdfc_objective_infonce.config import FifoQueueConfig


class FifoQueue(MemoryQueue):
    """A ring of K embeddings, each with its case: first in, first out.

    A push costs the same for any K. Of fewer pretext cases than K there is one place a case, so
    that no key is older than an epoch.

    Source: He et al. 2020 (MoCo), Sect. 3.2.
    """

    keys: Tensor
    cases: Tensor
    next_place: Tensor

    def __init__(self, config: FifoQueueConfig) -> None:
        super().__init__()
        self.size = config.size
        self.register_buffer("keys", torch.empty(0, 0))
        self.register_buffer("cases", torch.empty(0, dtype=torch.long))
        # A tensor, as the rest of the state: to know its number, a GPU would be waited for.
        self.register_buffer("next_place", torch.zeros((), dtype=torch.long))

    def allocate(self, cases: int, width: int) -> None:
        """Min(K, N) empty places of D numbers."""
        capacity = min(self.size, cases)
        self.keys = self.keys.new_zeros(capacity, width)
        self.cases = self.cases.new_full((capacity,), -1)
        self.next_place = torch.zeros_like(self.next_place)

    @property
    def capacity(self) -> int:
        """How many it holds at most; 0 before `allocate`."""
        return len(self.keys)

    def read(self) -> tuple[Tensor, Tensor]:
        """Cases (K,), −1 in empty places, and their keys (K, D): copies without gradient."""
        return self.cases.clone(), at_least_single(self.keys.clone())

    @torch.no_grad()
    def push(self, indices: Tensor, embeddings: Tensor) -> None:
        """The keys in, in the place of as many of the oldest.

        Args:
            indices: (B,) whose they are.
            embeddings: (B, D).

        Raises:
            ShapeError: If the embeddings are not (B, D).
        """
        expected = (len(indices), self.keys.shape[1])
        if embeddings.shape != expected:
            raise ShapeError(
                f"The queue expects embeddings of shape {expected} and got "
                f"{tuple(embeddings.shape)}: push every case of the batch at the queue's width."
            )
        count = min(len(indices), self.capacity)
        newest = embeddings[len(embeddings) - count :].to(self.keys)
        order = torch.arange(count, device=self.keys.device)
        places = (self.next_place + order) % self.capacity
        self.keys.index_copy_(0, places, newest)
        self.cases.index_copy_(0, places, indices[len(indices) - count :].to(self.cases))
        self.next_place.add_(count).remainder_(self.capacity)
