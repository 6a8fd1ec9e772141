"""The teacher of a view: an average of what its student was, which no gradient reaches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from rdfc_core.interfaces import Tower

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class Teacher(nn.Module):
    """Tower and projection of a view, each number an exponential mean of the student's.

    It is always in evaluation mode and normalises by an average of the student's statistics: were
    keys normalised by those of their batch, queries could tell by them which keys are of the same
    batch, their own among these. Its weights are no parameters to be trained; they are saved with
    the task.

    Sources: He et al. 2020, Eq. 2; Cai et al. 2021 (EMAN) for the statistics.
    """

    def __init__(self, tower: Tower, projection: nn.Module) -> None:
        super().__init__()
        self.tower = deepcopy(tower)
        self.projection = deepcopy(projection)
        self.requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> Teacher:
        """Stays in evaluation mode."""
        super().train(False)
        return self

    @torch.no_grad()
    def follow(self, tower: nn.Module, projection: nn.Module, momentum: float) -> None:
        """Each number ← momentum · itself + (1 − momentum) · the student's; 0: a copy.

        Args:
            tower: The student's.
            projection: The student's.
            momentum: Share that is kept.
        """
        mine, theirs = [], []
        for own, student in ((self.tower, tower), (self.projection, projection)):
            there = _numbers(student)
            for name, number in _numbers(own).items():
                if number.is_floating_point():
                    mine.append(number)
                    theirs.append(there[name].detach())
                else:  # batches that were counted
                    number.copy_(there[name])
        get_ema_multi_avg_fn(momentum)(mine, theirs, 0)


@contextmanager
def settling(network: nn.Module, afresh: bool) -> Iterator[None]:
    """Inside, batch normalisation takes the plain mean over all batches for its statistics.

    Otherwise they are an exponential mean that begins with 0 and 1, and a few batches leave them
    there: a network in evaluation mode then makes nearly the same of all cases.

    Args:
        network: In training mode.
        afresh: Whether the batch is the first to be counted.
    """
    layers = [one for one in network.modules() if isinstance(one, BATCH_NORMS)]
    before = [layer.momentum for layer in layers]
    for layer in layers:
        if afresh:
            layer.reset_running_stats()
        layer.momentum = None
    try:
        yield
    finally:
        for layer, momentum in zip(layers, before, strict=True):
            layer.momentum = momentum


def _numbers(module: nn.Module) -> dict[str, Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}
