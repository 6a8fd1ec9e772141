"""Random numbers for the variations of a batch.

Drawn on the CPU, so that a seed means the same variations on every device.
"""

from __future__ import annotations

import torch

from rdfc_core.views.augmentation import sent


def per_case(
    batch: torch.Tensor, low: float, high: float, generator: torch.Generator
) -> torch.Tensor:
    """A uniform number for each case, (B, 1, …) as broadcasts over the batch, on its device."""
    draws = torch.rand(len(batch), generator=generator)
    numbers = (low + (high - low) * draws).reshape(-1, *[1] * (batch.ndim - 1))
    return sent(numbers, batch.device)


def per_pixel(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A standard normal number for each pixel, of the batch's shape and on its device."""
    return sent(torch.randn(batch.shape, generator=generator), batch.device)
