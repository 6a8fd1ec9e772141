"""The image encoder ``slim-cnn``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from rdfc_core.interfaces import ImageEncoder
from torch import nn

from rdfc_thirdparty_example.config import SlimCnnConfig


class SlimCnn(ImageEncoder):
    """Three stages of depthwise residual blocks, (B, C, H, W) → (B, 4 · width)."""

    def __init__(self, config: SlimCnnConfig) -> None:
        self.config = config

    def build(self, channels: int) -> nn.Module:
        """A network with fresh weights."""
        return _Network(channels, self.config.width, self.config.blocks)

    def layer_groups(self, network: nn.Module) -> Mapping[str, Sequence[nn.Module]]:
        """The stem and the three stages."""
        assert isinstance(network, _Network)
        stages = {f"stage{place + 1}": [stage] for place, stage in enumerate(network.stages)}
        return {"stem": [network.stem], **stages}


class _Network(nn.Module):
    def __init__(self, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width, kernel_size=3, stride=2, padding=1)
        stages = []
        for place in range(3):
            before, after = width * 2 ** max(0, place - 1), width * 2**place
            shrink = nn.Conv2d(before, after, kernel_size=2, stride=2)
            stages.append(nn.Sequential(shrink, *(_Block(after) for _ in range(blocks))))
        self.stages = nn.ModuleList(stages)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        maps: torch.Tensor = self.stem(pictures)
        for stage in self.stages:
            maps = stage(maps)
        return maps.mean(dim=(2, 3))


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.across = nn.Conv2d(width, width, kernel_size=5, padding=2, groups=width)
        self.norm = nn.BatchNorm2d(width)
        self.between = nn.Conv2d(width, width, kernel_size=1)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps + torch.relu(self.between(self.norm(self.across(maps))))
