"""What processes that train together hand each other; alone, each call gives back what it got."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch import distributed as dist


def place() -> tuple[int, int]:
    """This process's number, from 0, and how many there are, W."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def summed(own: Tensor) -> Tensor:
    """The sum over all processes, in all of them.

    They all use it alike, so that a gradient comes back whole, and is handed on as it is.
    """
    return cast(Tensor, _Summed.apply(own)) if place()[1] > 1 else own


def with_summed_gradient(shared: Tensor) -> Tensor:
    """What all processes hold and use each for its part: the gradients of all parts are added."""
    return cast(Tensor, _WithSummedGradient.apply(shared)) if place()[1] > 1 else shared


def broadcast(rows: Tensor, owner: int) -> Tensor:
    """The owner's tensor, in all processes; the others give one of the same shape."""
    if place()[1] > 1:
        dist.broadcast(rows, owner)
    return rows


def gather_first(own: Tensor, counts: Sequence[int]) -> Tensor:
    """The rows of all processes in the first, on the CPU; in the others, their own.

    Args:
        own: (n, …).
        counts: n of each process.
    """
    rank, _ = place()
    padded = own.new_zeros(max(counts), *own.shape[1:])  # collectives take equal shapes only
    padded[: len(own)] = own
    gathered = [torch.empty_like(padded) for _ in counts] if rank == 0 else None
    dist.gather(padded, gathered, dst=0)
    if gathered is None:
        return own
    return torch.cat([rows[:n].cpu() for rows, n in zip(gathered, counts, strict=True)])


class _Summed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        return _total(own)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


class _WithSummedGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, shared: Tensor) -> Tensor:
        return shared.view_as(shared)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _total(gradients[0])


def _total(own: Tensor) -> Tensor:
    total = own.clone(memory_format=torch.contiguous_format)
    dist.all_reduce(total)
    return total
