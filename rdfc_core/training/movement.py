"""Towers that a training does not move: no gradient reaches them, or nothing follows them."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import torch
from torch import Tensor

from rdfc_core.interfaces import Pretext
from rdfc_core.training.monitor import suspects

log = logging.getLogger("rdfc")


class MovementWatch:
    """Warns of towers whose weights are the same after the first epoch that moves any.

    An objective that detaches one of its views trains half of what it is thought to, and a teacher
    that nothing updates stays as it began; the loss falls all the same.

    Args:
        pretext: Before its first step.
    """

    def __init__(self, pretext: Pretext) -> None:
        self._pretext = pretext
        self._trained = {
            name: _copies(weights)
            for name, tower in pretext.encoders().items()
            if (weights := [p for p in tower.parameters() if p.requires_grad])
        }
        self._further = [_copies(tower.parameters()) for tower in pretext.further_towers()]

    def seen(self, epoch: int) -> bool:
        """Look at the weights after an epoch.

        Args:
            epoch: Counted from 1.

        Returns:
            Whether that is all: an epoch at a learning rate of 0 says nothing.
        """
        still = [name for name, weights in self._trained.items() if not _moved(weights)]
        if len(still) == len(self._trained):
            return False
        for name in still:
            log.warning(
                "The tower of view %s did not change in epoch %d: no gradient reaches it. %sThe "
                "objective may detach that view.",
                *(name, epoch, suspects(self._pretext)),
            )
        if self._further and not any(map(_moved, self._further)):
            log.warning(
                "None of the further towers of the task %s changed in epoch %d. %sIf they are to "
                "follow the trained ones, as a teacher does, that has to be done in after_step().",
                *(type(self._pretext).__name__, epoch, suspects(self._pretext)),
            )
        return True


def _copies(weights: Iterable[Tensor]) -> list[tuple[Tensor, Tensor]]:
    return [(weight, weight.detach().clone()) for weight in weights]


def _moved(weights: list[tuple[Tensor, Tensor]]) -> bool:
    return any(not torch.equal(weight.detach(), before) for weight, before in weights)
