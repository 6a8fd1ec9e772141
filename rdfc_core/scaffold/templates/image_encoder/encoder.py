"""A small convolutional network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn

from rdfc_core.interfaces import ImageEncoder

from .config import ExampleConfig


class Example(ImageEncoder):
    """Stages of convolution, batch norm and ReLU, then the global average: (B, C, H, W) → (B, F).

    F is ``width`` × 2 ** (``stages`` − 1).
    """

    spatial_dims = 2  # 3 for networks that take volumes, (B, C, Z, H, W)

    def __init__(self, config: ExampleConfig) -> None:
        self.config = config

    def build(self, channels: int) -> nn.Module:
        """A network with fresh weights for pictures of ``channels`` channels."""
        widths = [self.config.width * 2**stage for stage in range(self.config.stages)]
        network = nn.Sequential()
        for place, (before, after) in enumerate(zip([channels, *widths], widths, strict=False)):
            network.add_module(f"stage{place + 1}", _stage(before, after))
        # Pooled here: rdfc wants one row of features a picture, of any size.
        network.add_module("pool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
        return network

    def layer_groups(self, network: nn.Module) -> Mapping[str, Sequence[nn.Module]]:
        """``stage1`` … : fine-tuning freezes, resets or slows groups by these names.

        Every parameter has to be in exactly one group, from input to output.
        """
        return {name: [stage] for name, stage in network.named_children() if name != "pool"}


def _stage(before: int, after: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )
