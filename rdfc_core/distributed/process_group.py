"""Training in several processes: each encodes its part of every batch, and all see the whole.

Every process draws the same batches and the same variations from the same generator. A tower is
run on a process's own rows alone, and what the towers of all processes give is put together again,
so that projections, objective and memories work on the whole batch, everywhere alike: nothing but
the towers knows that there are several processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar, cast

import torch
from torch import Tensor
from torch import distributed as dist

from rdfc_core.distributed.sync_batchnorm import synchronised
from rdfc_core.interfaces import Tower
from rdfc_core.interfaces.collated import Collated, count, rows, tensors
from rdfc_core.utils.overridden import overridden

T = TypeVar("T")


@dataclass(frozen=True)
class ProcessGroup:
    """The processes of a training, and this one's place among them.

    Args:
        rank: Of this process, from 0.
        size: W, the number of processes.
        devices: Processes on each machine.
    """

    rank: int = 0
    size: int = 1
    devices: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes the files and tells how far it is."""
        return self.rank == 0

    @property
    def local_rank(self) -> int:
        """The place among the processes of this machine."""
        return self.rank % self.devices

    def share(self, value: T) -> T:
        """What the leading process holds, in every process; all of them call this."""
        if self.size == 1:
            return value
        box = [value if self.leads else None]
        dist.broadcast_object_list(box, src=0)
        return cast(T, box[0])

    def parts(self, rows: int) -> list[slice]:
        """The rows of each process: all of them once, in parts that differ by one at most."""
        edges = [rank * rows // self.size for rank in range(self.size + 1)]
        return [slice(*edge) for edge in pairwise(edges)]

    @contextmanager
    def dividing(self, towers: Iterable[Tower], sync_batchnorm: bool) -> Iterator[None]:
        """Inside, each tower encodes this process's rows and gives those of all processes.

        Args:
            towers: As trained; they are left as they were.
            sync_batchnorm: Whether batch normalisation sees the rows of all processes.
        """
        with ExitStack() as undo:
            for tower in towers if self.size > 1 else ():
                divided = _Divided(tower.forward, self, sync_batchnorm)
                undo.enter_context(overridden(tower, "forward", divided))
            yield


ALONE = ProcessGroup()


class _Divided:
    """The forward pass of a tower, of which each process does its rows."""

    def __init__(
        self, forward: Callable[[Any], Tensor], group: ProcessGroup, sync_batchnorm: bool
    ) -> None:
        self.forward, self.group, self.sync_batchnorm = forward, group, sync_batchnorm

    def __call__(self, batch: Collated) -> Tensor:
        parts, device = self.group.parts(count(batch)), next(tensors(batch)).device
        with _own_randomness(self.group, device), synchronised(self.sync_batchnorm):
            own = self.forward(rows(batch, parts[self.group.rank]))
        gathered: Tensor = _Gather.apply(own, parts, self.group)
        return gathered


@contextmanager
def _own_randomness(group: ProcessGroup, device: torch.device) -> Iterator[None]:
    """Dropout inside falls differently in each process; outside all go on alike."""
    seed = int(torch.randint(2**62, ()))
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed + group.rank)
        yield


class _Gather(torch.autograd.Function):
    """The rows of all processes, in order; backwards, each takes those of its own, W-fold.

    What follows is computed by every process alike, so that each has the whole gradient already.
    Data-parallel training then takes the mean over W processes where the sum over their rows is
    due, hence the factor; for what stands behind the gathering the mean of equals is right.
    """

    @staticmethod
    def forward(ctx: Any, own: Tensor, parts: list[slice], group: ProcessGroup) -> Tensor:
        ctx.part, ctx.factor = parts[group.rank], group.size
        return gather_rows(own, parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return gradients[0][ctx.part] * ctx.factor, None, None


def gather_rows(own: Tensor, parts: list[slice]) -> Tensor:
    """The rows of all processes, (n, …) → (Σ n, …), without gradient.

    Args:
        own: This process's rows.
        parts: Where the rows of each process belong.
    """
    counts = [part.stop - part.start for part in parts]
    padded = own.new_zeros(max(counts), *own.shape[1:])  # collectives take equal shapes only
    padded[: len(own)] = own
    gathered = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(gathered, padded)
    return torch.cat([rows[:count] for rows, count in zip(gathered, counts, strict=True)])
