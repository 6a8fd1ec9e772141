"""Elastic deformation: soft tissue under another pressure of the probe or another breath."""

from __future__ import annotations

import torch
from torch.nn import functional

from rdfc_core.views.augmentation import sent

CONTROL_POINTS = 5
"""Along each axis, the first and last at the picture's border (compare Simard et al. 2003)."""


def displacements(batch: torch.Tensor, elastic: float, generator: torch.Generator) -> torch.Tensor:
    """A smooth random field of displacements for each case.

    Control points are displaced at random, at most by a share of the picture that is each case's
    own; between them displacements are interpolated by cubic curves.

    Args:
        batch: Pictures, (B, C, H, W) or (B, C, Z, H, W).
        elastic: Largest displacement of a control point along an axis, as a share of the picture's
            side, ≥ 0; each case's is uniform from 0.
        generator: On the CPU; the only source of randomness.

    Returns:
        (B, 2, H, W): of each pixel along x and along y, as shares of the side.
    """
    share = elastic * torch.rand(len(batch), 1, 1, 1, generator=generator)
    drawn = torch.rand(len(batch), 2, CONTROL_POINTS, CONTROL_POINTS, generator=generator)
    points = sent(share * (2 * drawn - 1), batch.device)
    down, right = (sent(_cubic(side), batch.device) for side in batch.shape[-2:])
    return down @ points @ right.T


def _cubic(samples: int) -> torch.Tensor:
    """(S, P): the weights of the control points in each sample of an axis."""
    one_at_a_time = torch.eye(CONTROL_POINTS)[None, None]
    size = (samples, CONTROL_POINTS)
    return functional.interpolate(one_at_a_time, size, mode="bicubic", align_corners=True)[0, 0]
