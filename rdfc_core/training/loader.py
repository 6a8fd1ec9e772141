"""Batches of cases for the device: gathered there, or gathered elsewhere and sent ahead of time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from rdfc_core.interfaces.collated import Collated, count, each, rows, to_device
from rdfc_core.training.placement import Residence

AHEAD = 2
"""Batches that are gathered before they are asked for."""

Rows = dict[str, Collated]


class BatchLoader(ABC):
    """The cases of a training, (N, …) of each view, in batches.

    Args:
        cases: View name → (N, …), as collated. Half precision is handed out as single.
        device: Where the batches go.
    """

    def __init__(self, cases: Mapping[str, Collated], device: torch.device) -> None:
        self.cases = cases
        self.device = device

    def __len__(self) -> int:
        """N."""
        return count(next(iter(self.cases.values())))

    @abstractmethod
    def batches(self, order: Sequence[Tensor]) -> Iterator[tuple[Tensor, Rows]]:
        """For each batch its indices (B,) and its rows (B, …) of each view, on the device.

        Args:
            order: The indices of each batch, on the CPU.
        """


class DeviceLoader(BatchLoader):
    """All cases on the device: a batch is one gather there."""

    def __init__(self, cases: Mapping[str, Collated], device: torch.device) -> None:
        super().__init__({name: to_device(one, device) for name, one in cases.items()}, device)

    def batches(self, order: Sequence[Tensor]) -> Iterator[tuple[Tensor, Rows]]:
        """As of any loader; the order of the whole epoch is sent at once."""
        whole = torch.cat(list(order)).to(self.device)
        for indices in whole.split([len(chosen) for chosen in order]):
            yield indices, {name: _single(rows(one, indices)) for name, one in self.cases.items()}


class PrefetchLoader(BatchLoader):
    """Cases in memory or in a mapped file; a thread gathers the next batches meanwhile."""

    def batches(self, order: Sequence[Tensor]) -> Iterator[tuple[Tensor, Rows]]:
        """As of any loader."""
        with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as thread:
            waiting: deque[Future[tuple[Tensor, Rows]]] = deque()
            for chosen in order:
                waiting.append(thread.submit(self._gathered, chosen))
                if len(waiting) > AHEAD:
                    yield self._sent(*waiting.popleft().result())
            while waiting:
                yield self._sent(*waiting.popleft().result())

    def _gathered(self, chosen: Tensor) -> tuple[Tensor, Rows]:
        """The batch in memory that the device can fetch from by itself."""
        pinned = self.device.type == "cuda"

        def gathered(one: Tensor) -> Tensor:
            shape = (len(chosen), *one.shape[1:])
            batch = torch.empty(shape, dtype=one.dtype, pin_memory=pinned)
            return torch.index_select(one, 0, chosen, out=batch)

        batches = {name: each(one, gathered) for name, one in self.cases.items()}
        return chosen.pin_memory() if pinned else chosen, batches

    def _sent(self, chosen: Tensor, batches: Rows) -> tuple[Tensor, Rows]:
        sent = {n: _single(to_device(one, self.device, True)) for n, one in batches.items()}
        return chosen.to(self.device, non_blocking=True), sent


def loader_of(cases: Mapping[str, Collated], device: torch.device, where: Residence) -> BatchLoader:
    """The loader for cases that wait there."""
    return (DeviceLoader if where == "device" else PrefetchLoader)(cases, device)


def _single(batch: Collated) -> Collated:
    return each(batch, lambda one: one.float() if one.dtype == torch.float16 else one)
