"""Brightness, contrast and gamma: the same tumour under other settings of the scanner."""

from __future__ import annotations

import torch

from rdfc_core.views.random_numbers import per_case


def vary_gamma(batch: torch.Tensor, gamma: float, generator: torch.Generator) -> torch.Tensor:
    """Each case to the power of a number from e^−gamma to e^gamma; 0 and 1 stay.

    Args:
        batch: Pictures in [0, 1], (B, C, …).
        gamma: Largest logarithm of the exponent, ≥ 0.
        generator: On the CPU.
    """
    exponent = per_case(batch, -gamma, gamma, generator).exp()
    return batch.clamp(min=0) ** exponent


def vary_contrast(batch: torch.Tensor, contrast: float, generator: torch.Generator) -> torch.Tensor:
    """Each case's distance from its mean times a number from e^−contrast to e^contrast.

    Args:
        batch: Pictures, (B, C, …).
        contrast: Largest logarithm of the factor, ≥ 0.
        generator: On the CPU.
    """
    mean = batch.flatten(1).mean(1).reshape(-1, *[1] * (batch.ndim - 1))
    return mean + (batch - mean) * per_case(batch, -contrast, contrast, generator).exp()


def vary_brightness(
    batch: torch.Tensor, brightness: float, generator: torch.Generator
) -> torch.Tensor:
    """Each case plus a number from −brightness to brightness.

    Args:
        batch: Pictures, (B, C, …).
        brightness: Largest shift, ≥ 0; the range from black to white is 1.
        generator: On the CPU.
    """
    return batch + per_case(batch, -brightness, brightness, generator)
