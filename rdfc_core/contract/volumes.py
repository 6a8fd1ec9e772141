"""Promises of what a reader gives: an image or mask on a sound grid. Free of torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from rdfc_core.contract.promises import require
from rdfc_core.errors import with_article
from rdfc_core.volume import Volume


def require_volume(volume: Any, what: str) -> None:
    """A reader gives numbers on a grid of two or three axes.

    Args:
        volume: What it gave.
        what: What was called, such as ``MyReader.read_image(a.png)``.

    Raises:
        ContractError: If it is anything else.
    """
    require(isinstance(volume, Volume), f"{what} gave {type(volume).__name__}, not a Volume.")
    require(
        isinstance(volume.array, np.ndarray),
        f"{what} gave a Volume of {with_article(type(volume.array).__name__)}; give it a NumPy "
        "array.",
    )
    array, d = volume.array, volume.array.ndim
    require(
        d in (2, 3),
        f"{what} has shape {array.shape}; give one channel, (H, W) or (Z, Y, X).",
    )
    require(array.size > 0, f"{what} has shape {array.shape}, which is empty; raise DataError.")
    require(array.dtype.kind in "biuf", f"{what} has values of type {array.dtype}; give numbers.")
    spacing = volume.spacing_mm
    require(
        len(spacing) == d and all(np.isfinite(s) and s > 0 for s in spacing),
        f"{what} has spacing_mm {spacing} for {d} axes; give one positive number (mm) for each.",
    )
    require(
        len(volume.origin_mm) == d and np.isfinite(volume.origin_mm).all(),
        f"{what} has origin_mm {volume.origin_mm} for {d} axes; give one number (mm) for each.",
    )
    direction = np.asarray(volume.direction)
    require(
        direction.shape == (d, d) and np.allclose(direction.T @ direction, np.eye(d), atol=1e-3),
        f"{what} has direction {direction.tolist()}; its columns have to be {d} unit vectors at "
        "right angles, one for each array axis.",
    )
