"""Gaussian blur, each case by its own width: another resolution or reconstruction kernel."""

from __future__ import annotations

import torch

from rdfc_core.views.random_numbers import per_case

SHARPEST = 1e-2
"""Pixels; narrower than this, a Gaussian leaves a picture exactly as it is."""


def blur(batch: torch.Tensor, sigma: float, generator: torch.Generator) -> torch.Tensor:
    """Each plane of each case under a Gaussian of the case's own width.

    At the border, the Gaussian's weights inside the picture are scaled to 1.

    Args:
        batch: Pictures, (B, C, H, W) or (B, C, Z, H, W).
        sigma: Largest standard deviation in pixels, ≥ 0; each case's is uniform from 0.
        generator: On the CPU.
    """
    widths = per_case(batch, 0, sigma, generator).reshape(-1, 1, 1)
    planes = batch.flatten(1, -3)
    height, width = planes.shape[-2:]
    # Along an axis of S samples a Gaussian is an (S, S) matrix: one product for all widths.
    down = _gaussians(widths, height)[:, None]
    right = down if width == height else _gaussians(widths, width)[:, None]
    return (down @ planes @ right.transpose(-1, -2)).reshape(batch.shape)


def _gaussians(widths: torch.Tensor, samples: int) -> torch.Tensor:
    """(B, S, S), each row the weights of one sample, from the (B, 1, 1) widths."""
    places = torch.arange(samples, device=widths.device, dtype=widths.dtype)
    distance = (places[:, None] - places) / widths.clamp(min=SHARPEST)
    return torch.softmax(-0.5 * distance.square(), dim=-1)
