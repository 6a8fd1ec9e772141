"""Grey levels by the IBSI's rules: bins of one width from a fixed intensity, or a number of bins.

Source: IBSI reference manual, arXiv:1612.07003, section 2.7.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.discretise import Discretised, discretised, smallest_type


def levels_of_width(values: NDArray[Any], lowest: float, width: float) -> NDArray[np.int64]:
    """Levels from 1, (N,): bin k begins at ``lowest`` + (k − 1) · ``width``.

    Args:
        values: Intensities, none below ``lowest``, (N,).
        lowest: Where the first bin begins.
        width: Of a bin.
    """
    places = np.floor((values.astype(np.float64) - lowest) / width)
    return np.asarray(places, np.int64) + 1


def levels_of_count(values: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Levels from 1 to ``count``, (N,), of equal bins between the least and the largest value."""
    values = values.astype(np.float64)
    low, high = values.min(), values.max()
    places = np.floor(count * (values - low) / (high - low))
    return np.minimum(np.asarray(places, np.int64) + 1, count)


def coded(levels: NDArray[np.int64]) -> Discretised:
    """The same as the engine's matrices want it."""
    codes = levels.astype(smallest_type(int(levels.max())))
    return discretised(codes, np.bincount(levels))
