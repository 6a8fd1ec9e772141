"""From pooled features back to a picture: the encoder's halvings, undone one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

SMALLEST = 4
"""Sides are halved until they are no longer than this."""
NARROWEST = 16
"""Channels that the last stages keep."""

LAYERS = {2: (nn.Conv2d, nn.BatchNorm2d), 3: (nn.Conv3d, nn.BatchNorm3d)}


class Decoder(nn.Module):
    """(B, F) → (B, C, H, W) or (B, C, Z, H, W) in [0, 1].

    A linear layer makes a map of at most 4 × 4; each stage doubles it (nearest neighbour), down a
    list of sizes that ends with the picture's own, so that any size comes out exactly. A stage is
    upsampling, 3 × 3 convolution, batch normalisation and ReLU, with half the channels of the
    stage before; a last convolution and a sigmoid make the picture.

    Args:
        features: F.
        shape: (C, H, W) or (C, Z, H, W), the picture to make.
        width: Channels of the smallest map.
    """

    def __init__(self, features: int, shape: Sequence[int], width: int) -> None:
        super().__init__()
        channels, *size = shape
        convolution, norm = LAYERS[len(size)]
        smallest, *self.sizes = reversed(halvings(size))
        self.start = nn.Linear(features, width * math.prod(smallest))
        self.first = (width, *smallest)
        self.stages = nn.ModuleList()
        for _ in self.sizes:
            narrower = max(width // 2, min(width, NARROWEST))
            self.stages.append(
                nn.Sequential(
                    convolution(width, narrower, 3, padding=1, bias=False),
                    norm(narrower),
                    nn.ReLU(),
                )
            )
            width = narrower
        self.last = convolution(width, channels, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """(B, F) → (B, *shape)."""
        maps = F.relu(self.start(features)).unflatten(1, self.first)
        for size, stage in zip(self.sizes, self.stages, strict=True):
            maps = stage(F.interpolate(maps, size, mode="nearest"))
        pictures: Tensor = self.last(maps).sigmoid()
        return pictures


def halvings(size: Sequence[int]) -> list[tuple[int, ...]]:
    """The size, and its halves (rounded up) until no side is longer than `SMALLEST`.

    Short sides stay: ``(10, 64, 64), (5, 32, 32), (3, 16, 16), (3, 8, 8), (3, 4, 4)``.
    """
    sizes = [tuple(size)]
    while max(sizes[-1]) > SMALLEST:
        sizes.append(tuple(s if s <= SMALLEST else -(-s // 2) for s in sizes[-1]))
    return sizes
