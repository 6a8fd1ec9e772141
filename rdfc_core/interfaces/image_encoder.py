"""ImageEncoder: builds the network that turns a tumour's picture into features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from torch import nn


class ImageEncoder(ABC):
    """Builds an image network. Built itself as ``Class(config)``."""

    spatial_dims: ClassVar[int] = 2
    """2: input (B, C, H, W), a volume's slices are channels. 3: input (B, C, Z, H, W)."""

    @abstractmethod
    def build(self, channels: int) -> nn.Module:
        """A network from (B, channels, H, W), or (B, channels, Z, H, W), to (B, F) features.

        F is whatever the network gives; it is found by a trial run.

        Raises:
            StudyError: If the options ask for a network that cannot be built, or for weights that
                cannot be had.
        """

    def blank(self, channels: int) -> nn.Module:
        """The same network with fresh random weights, as one from scratch begins.

        To be overridden where `build` reads or downloads weights: a saved model must be usable
        without them, and what is called scratch or random begins here.
        """
        return self.build(channels)

    def layer_groups(self, network: nn.Module) -> Mapping[str, Sequence[nn.Module]]:
        """Named groups of layers from input to output, for fine-tuning with own learning rates.

        By default each direct child of the network is a group.
        """
        return {name: [child] for name, child in network.named_children()}
