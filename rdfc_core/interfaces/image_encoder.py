"""ImageEncoder: builds the network that turns a tumour's picture into features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

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

        Called:
            Once a training, under its seed, and once to try the study.
        """

    def blank(self, channels: int) -> nn.Module:
        """The same network with fresh random weights, as one from scratch begins.

        To be overridden where `build` reads or downloads weights: a saved model must be usable
        without them, and what is called scratch or random begins here.

        Called:
            Where a saved model is loaded, and for the rows called scratch and random-init.
        """
        return self.build(channels)

    def normalisation(self, channels: int) -> tuple[Sequence[float], Sequence[float]]:
        """Mean and standard deviation of each input channel, for pictures in [0, 1].

        Core hands ``(picture - mean) / deviation`` to the network, wherever it is used. By default
        both are 0.5, so that pictures reach it in [−1, 1]. To be overridden where `build` begins
        with weights that were trained on pictures of another mean and deviation.

        Args:
            channels: C, as in `build`.

        Returns:
            C means, and C deviations above 0.

        Called:
            Right after `build` and `blank`, with the same number of channels.
        """
        return (0.5,) * channels, (0.5,) * channels

    def made_elsewhere(self, channels: int) -> Mapping[str, Any]:
        """How a program without rdfc builds the network, and where its weights began; as JSON.

        It stands in the card beside exported weights. By default nothing is known. Customary keys:
        ``library``, ``call`` (a dotted name) and its ``arguments``, whose network has the
        parameters of `build` by the same names; ``start``, with ``name`` and ``licence`` of
        published weights.

        Args:
            channels: C, as in `build`.

        Called:
            By ``rdfc export``.
        """
        return {}

    def layer_groups(self, network: nn.Module) -> Mapping[str, Sequence[nn.Module]]:
        """Named groups of layers from input to output, for fine-tuning with own learning rates.

        By default each direct child of the network is a group.

        Called:
            By fine-tuning, on a network of `build` or `blank`.
        """
        return {name: [child] for name, child in network.named_children()}
