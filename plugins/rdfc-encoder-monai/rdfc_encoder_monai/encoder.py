"""The image encoder ``monai``: a 3D network of MONAI, without its classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn

from rdfc_core.errors import StudyError
from rdfc_core.interfaces import ImageEncoder
from rdfc_encoder_monai import networks
from rdfc_encoder_monai.config import MonaiConfig
from rdfc_encoder_monai.weights import load_weights


class MonaiEncoder(ImageEncoder):
    """Builds 3D networks of MONAI for volumes of any number of channels."""

    spatial_dims = 3

    def __init__(self, config: MonaiConfig) -> None:
        self.config = config

    def build(self, channels: int) -> nn.Module:
        """A network from (B, channels, Z, H, W) to (B, F) features.

        Raises:
            StudyError: If the weights cannot be had or do not fit.
        """
        network, chosen = self.blank(channels), self.config
        if chosen.weights is not None:
            load_weights(network, chosen.weights, chosen.rename, chosen.partial, chosen.model)
        return network

    def blank(self, channels: int) -> nn.Module:
        """The same network with fresh weights; volumes that it cannot take are refused."""
        network, sides = networks.build(self.config, channels)
        hook = partial(_require_size, sides=sides, model=self.config.model)
        network.register_forward_pre_hook(hook)
        return network

    def made_elsewhere(self, channels: int) -> Mapping[str, Any]:
        """The call of MONAI whose network has these parameters, and the file it began from."""
        weights = self.config.weights
        start = weights and {
            "name": weights.name,
            "licence": "unknown: a file of the user's own",
        }
        return {**networks.made_elsewhere(self.config, channels), "start": start}

    def layer_groups(self, network: nn.Module) -> Mapping[str, Sequence[nn.Module]]:
        """``stem``, then ``layer1`` … ``layer4`` or ``denseblock1`` … ``denseblock4``."""
        return networks.layer_groups(network)


def _require_size(
    network: nn.Module, inputs: tuple[Tensor, ...], sides: networks.Sides, model: str
) -> None:
    got = tuple(inputs[0].shape[-3:])
    fitting = sides.fit(got)
    if got != fitting:
        raise StudyError(
            f"MONAI's {model} cannot take volumes of {' x '.join(map(str, got))} voxels. The "
            f"smallest size from there on that it takes is {list(fitting)}: set size of the view."
        )
