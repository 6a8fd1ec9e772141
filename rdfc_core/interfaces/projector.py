"""Projector: builds the network between a tower's features and the space of a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


class Projector(ABC):
    """Builds projection heads, one for each view of a pretext. Built itself as ``Class(config)``.

    A pretext names it by a part of its options (``projector: Annotated[Part,
    PartOf("projector")]``) and calls `build` from its own ``build``. Features are what a model is
    judged by; what a projector makes of them is for the loss.
    """

    @abstractmethod
    def build(self, features: int, width: int) -> nn.Module:
        """A network from (B, features) to (B, width), with fresh weights.

        It is called on the whole batch in every process of a training, in single precision, and
        gives rows of any length: a task that wants unit length divides by it.

        Args:
            features: F, of the tower.
            width: D, of the space.

        Called:
            By the pretext, from its own `build`, once for each view.
        """
