"""The directions in which textures are compared, and their weights.

Source: PyRadiomics' documentation of ``distances``, ``force2D`` and ``weightingNorm``.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int64]
Weights = NDArray[np.float64]


def directions(
    extents: Sequence[int], distances: Sequence[int], fixed_axis: int | None, both_ways: bool
) -> Offsets:
    """The steps to neighbours at the distances (largest coordinate), as (D, 3) offsets.

    Args:
        extents: Of the region's box in voxels; longer steps than the box do not exist.
        distances: In voxels; one that is named twice counts twice.
        fixed_axis: The axis across which there are no neighbours, or None.
        both_ways: Each step and its opposite, or only the one whose first coordinate other than 0
            is positive.
    """
    most = max(distances)
    reach = [0 if axis == fixed_axis else min(most, n - 1) for axis, n in enumerate(extents)]
    steps = itertools.product(*(range(r, -r - 1, -1) for r in reach))
    wanted = set(distances)
    valid = [step for step in steps if max(map(abs, step)) in wanted]
    lengths = [max(map(abs, step)) for step in valid]
    count = sum(lengths.count(distance) for distance in distances)
    if not both_ways:
        count //= 2
    repeated = valid * (len(distances) if valid else 0)
    return np.array(repeated[:count], np.int64).reshape(-1, len(extents))


def pair_weights(offsets: Offsets, spacing_mm: Sequence[float], norm: str | None) -> Weights | None:
    """How much each direction counts in the co-occurrence matrix, (D,); None: each on its own.

    The weight falls with the square of the step's length in mm.
    """
    if norm is None:
        return None
    length_mm = _lengths_mm(offsets, spacing_mm, norm)
    return np.ones(len(offsets)) if length_mm is None else np.exp(-(length_mm**2))


def run_weights(offsets: Offsets, spacing_mm: Sequence[float], norm: str | None) -> Weights | None:
    """How much each direction counts in the run length matrix, (D,); None: each on its own.

    The weight is the step's length in mm.
    """
    if norm is None:
        return None
    length_mm = _lengths_mm(offsets, spacing_mm, norm)
    return np.ones(len(offsets)) if length_mm is None else length_mm


def _lengths_mm(offsets: Offsets, spacing_mm: Sequence[float], norm: str) -> Weights | None:
    steps_mm = np.abs(offsets) * np.asarray(spacing_mm, np.float64)
    if norm == "infinity":
        return np.asarray(steps_mm.max(axis=1, initial=0.0))
    if norm == "euclidean":
        return np.asarray(np.sqrt((steps_mm**2).sum(axis=1)))
    if norm == "manhattan":
        return np.asarray(steps_mm.sum(axis=1))
    return None
