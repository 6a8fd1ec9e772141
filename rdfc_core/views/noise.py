"""Noise: added, as in CT and MRI, or in proportion to the signal, as the speckle of ultrasound."""

from __future__ import annotations

import torch

from rdfc_core.views.random_numbers import per_case, per_pixel


def add_noise(batch: torch.Tensor, noise: float, generator: torch.Generator) -> torch.Tensor:
    """Gaussian noise, independent by pixel; its standard deviation is each case's own.

    Args:
        batch: Pictures, (B, C, …).
        noise: Largest standard deviation, ≥ 0; each case's is uniform from 0.
        generator: On the CPU.
    """
    return torch.addcmul(batch, per_case(batch, 0, noise, generator), per_pixel(batch, generator))


def add_speckle(batch: torch.Tensor, speckle: float, generator: torch.Generator) -> torch.Tensor:
    """Noise in proportion to the signal: each pixel times 1 + s n, n standard normal.

    Args:
        batch: Pictures, (B, C, …).
        speckle: Largest s, ≥ 0; each case's is uniform from 0.
        generator: On the CPU.
    """
    share = per_case(batch, 0, speckle, generator)
    return torch.addcmul(batch, batch * share, per_pixel(batch, generator))
