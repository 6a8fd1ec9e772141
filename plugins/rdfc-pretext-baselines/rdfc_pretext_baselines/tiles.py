"""A picture in nine tiles, with a random gap between them, evened out and put in another order."""

from __future__ import annotations

import torch
from torch import Tensor

SIDE = 3
FLATTEST = 0.01
"""Smallest standard deviation that is divided by: noise of flat tiles is not blown up."""


def tile_size(height: int, width: int, gap: float) -> tuple[int, int]:
    """Height and width of a tile: a third of the picture, less the gap."""
    return _tile_length(height, gap), _tile_length(width, gap)


def cut_tiles(pictures: Tensor, gap: float, generator: torch.Generator) -> Tensor:
    """Nine tiles of each picture, each at a random place of its own ninth.

    So that edges do not fit together: lines that run on would give the order away.

    Args:
        pictures: (B, C, H, W) of any size; sides need not be divisible by three.
        gap: Mean distance of neighbouring tiles, as a share of a third of the side.
        generator: On the CPU; the only source of randomness.

    Returns:
        (B, 9, C, h, w), row by row.

    Source: Noroozi & Favaro 2016, Sect. 4.2: tiles of 64 in cells of 75.
    """
    cases, _, height, width = pictures.shape
    device = pictures.device
    place = torch.arange(SIDE * SIDE)
    down = _samples(height, place // SIDE, gap, cases, generator).to(device)
    right = _samples(width, place % SIDE, gap, cases, generator).to(device)
    which = torch.arange(cases, device=device)[:, None, None, None]
    tiles = pictures[which, :, down[:, :, :, None], right[:, :, None, :]]  # (B, 9, h, w, C)
    return tiles.permute(0, 1, 4, 2, 3)


def even_out(tiles: Tensor, pictures: Tensor) -> Tensor:
    """Give each tile the mean and the standard deviation of its whole picture, by channel.

    Brightness and contrast then say nothing of a tile's place, and the encoder sees the range of
    grey values in which it is used later.

    Args:
        tiles: (B, 9, C, h, w).
        pictures: (B, C, H, W), where they come from.
    """
    deviation = tiles.std(dim=(3, 4), correction=0, keepdim=True).clamp(min=FLATTEST)
    even = (tiles - tiles.mean(dim=(3, 4), keepdim=True)) / deviation
    whole = pictures.unsqueeze(1)
    mean = whole.mean(dim=(3, 4), keepdim=True)
    return even * whole.std(dim=(3, 4), correction=0, keepdim=True) + mean


def reorder(tiles: Tensor, orders: Tensor) -> Tensor:
    """(B, 9, …) and (B, 9) → (B, 9, …): place p shows tile ``orders[:, p]``."""
    return tiles[torch.arange(len(tiles), device=tiles.device)[:, None], orders]


def _tile_length(length: int, gap: float) -> int:
    third = length // SIDE
    return max(1, third - round(gap * third))


def _samples(
    length: int, part: Tensor, gap: float, cases: int, generator: torch.Generator
) -> Tensor:
    """Which samples of an axis each tile takes, (B, 9, h); ``part``: the third it lies in."""
    size = _tile_length(length, gap)
    start = part * length // SIDE
    places = (part + 1) * length // SIDE - start - size + 1
    drawn = torch.rand(cases, len(part), generator=generator, dtype=torch.float64)
    return (start + (drawn * places).long())[:, :, None] + torch.arange(size)
