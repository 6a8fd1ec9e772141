"""Pictures at the network's size, and their random variations, a batch at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch.nn import functional

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
    displacements: torch.Tensor | None = None,
) -> torch.Tensor:
    """A random crop of each picture, resized back, and random flips; all cases at once.

    Args:
        batch: (B, C, H, W), or (B, C, Z, H, W), whose planes are all kept.
        scale: Smallest and largest area of the crop, as a share of the picture.
        flips: ``horizontal``, ``vertical``: each happens to half of the cases.
        generator: On the CPU; the only source of randomness.
        displacements: (B, 2, H, W): how far from its place each sample of the crop is taken along x
            and y, as a share of the crop's side.

    Returns:
        A new batch of the same shape.
    """
    height, width = batch.shape[-2:]
    # Drawn on the CPU whatever the device, so that a seed means the same crops everywhere.
    draws = torch.rand(len(batch), 4 + len(flips), generator=generator, dtype=torch.float64)
    area, shape, down, right, *chances = draws.unbind(1)
    share = scale[0] + (scale[1] - scale[0]) * area
    low, high = math.log(CROP_RATIO[0]), math.log(CROP_RATIO[1])
    proportion = torch.exp(0.5 * (low + (high - low) * shape))
    rows = (height * share.sqrt() / proportion).round().clamp(1, height)
    columns = (width * share.sqrt() * proportion).round().clamp(1, width)
    turned = {name: chance < 0.5 for name, chance in zip(flips, chances, strict=True)}
    down = _stretched(down, rows, height, turned.get("vertical"))
    right = _stretched(right, columns, width, turned.get("horizontal"))
    down, right = sent(down, batch.device), sent(right, batch.device)
    across, along = right[:, None, :], down[:, :, None]
    if displacements is not None:
        sides = sent(2 * torch.stack([columns / width, rows / height]).float(), batch.device)
        across = torch.addcmul(across, displacements[:, 0], sides[0, :, None, None])
        along = torch.addcmul(along, displacements[:, 1], sides[1, :, None, None])
    grid = torch.stack(torch.broadcast_tensors(across, along), dim=-1)
    planes = batch.flatten(1, -3)
    # A crop is never larger than the picture, so that nothing is shrunk and nothing can alias; a
    # displacement may lead beyond the border.
    beyond = "zeros" if displacements is None else "border"
    drawn = functional.grid_sample(planes, grid.to(planes), padding_mode=beyond, align_corners=True)
    return drawn.reshape(batch.shape)


def sent(drawn: torch.Tensor, device: torch.device) -> torch.Tensor:
    """What was drawn on the CPU, on the device; nobody waits until it is there."""
    pinned = drawn.pin_memory() if device.type == "cuda" else drawn
    return pinned.to(device, non_blocking=True)


def _stretched(
    place: torch.Tensor, length: torch.Tensor, whole: int, turned: torch.Tensor | None
) -> torch.Tensor:
    """Where each sample of an axis comes from, if a part of it is stretched over the whole.

    Args:
        place: (B,) in [0, 1): where the part lies.
        length: (B,) samples of the part.
        whole: Samples of the axis, S.
        turned: (B,) whether the axis is reversed.

    Returns:
        (B, S) float32 positions in the part; −1 and 1 are the axis's first and last sample.
    """
    start = (place * (whole - length + 1)).floor()[:, None]
    length = length[:, None]
    centres = (torch.arange(whole) + 0.5) / whole * length - 0.5
    positions = start + torch.minimum(centres.clamp(min=0), length - 1)
    if turned is not None:
        positions = torch.where(turned[:, None], positions.flip(1), positions)
    return (positions / max(1, whole - 1) * 2 - 1).float()
