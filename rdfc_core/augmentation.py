"""Pictures at the network's size, and their random variations."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch.nn import functional
from torchvision.transforms.v2 import functional as transforms

CROP_RATIO = (3 / 4, 4 / 3)
"""Proportions of the random crop against the picture's own; as in torchvision's default."""


def resize(pixels: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """(C, …) to (C, *size), linearly and without aliasing; float32."""
    batch = pixels.float()[None]
    if len(size) == 2:
        return functional.interpolate(batch, tuple(size), mode="bilinear", antialias=True)[0]
    return functional.interpolate(batch, tuple(size), mode="trilinear", align_corners=False)[0]


def augment_pictures(
    batch: torch.Tensor,
    scale: tuple[float, float],
    flips: Sequence[str],
    generator: torch.Generator,
) -> torch.Tensor:
    """A random crop of each picture, resized back, and random flips.

    Args:
        batch: (B, C, H, W), or (B, C, Z, H, W), whose planes are all kept.
        scale: Smallest and largest area of the crop, as a share of the picture.
        flips: ``horizontal``, ``vertical``: each happens to half of the cases.
        generator: On the CPU; the only source of randomness.

    Returns:
        A new batch of the same shape.
    """
    height, width = batch.shape[-2:]
    draws = torch.rand(len(batch), 4 + len(flips), generator=generator, dtype=torch.float64)
    varied = []
    for pixels, (area, shape, down, right, *flip) in zip(batch, draws.tolist(), strict=True):
        share = scale[0] + (scale[1] - scale[0]) * area
        low, high = math.log(CROP_RATIO[0]), math.log(CROP_RATIO[1])
        proportion = math.exp(0.5 * (low + (high - low) * shape))
        rows = min(height, max(1, round(height * math.sqrt(share) / proportion)))
        columns = min(width, max(1, round(width * math.sqrt(share) * proportion)))
        top, left = int(down * (height - rows + 1)), int(right * (width - columns + 1))
        pixels = transforms.resized_crop(
            pixels, top, left, rows, columns, [height, width], antialias=True
        )
        for name, chance in zip(flips, flip, strict=True):
            if chance < 0.5:
                turn = getattr(transforms, f"{name}_flip")
                pixels = turn(pixels)
        varied.append(pixels)
    return torch.stack(varied)
