"""Optimizer: what moves the weights of a network along its gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class Optimizer(ABC):
    """Makes the optimiser of a training. Built itself as ``Class(config)``.

    Pretraining and every training with labels ask it for one of their own. Options of the names
    ``momentum``, ``nesterov`` and ``weight_decay`` have the values of `pretrain`, or of
    `evaluate.supervised`, where the study does not give them with the optimiser's name.
    """

    @abstractmethod
    def build(
        self, groups: Sequence[Mapping[str, Any]], learning_rate: float
    ) -> torch.optim.Optimizer:
        """An optimiser of all parameters in the groups, in their order.

        Core sets the ``lr`` of each group before every step: its schedule's factor on the rate
        that the group has here. ``step()`` is called without a closure. What the optimiser
        remembers stands in its ``state_dict()``, as tensors and plain values, and is saved with
        the checkpoint.

        Args:
            groups: ``params`` of each group, a list of parameters, and ``lr`` where it is another
                than ``learning_rate``.
            learning_rate: The highest of the training.

        Called:
            Once a training, in every process of it, after the network was laid out.
        """
