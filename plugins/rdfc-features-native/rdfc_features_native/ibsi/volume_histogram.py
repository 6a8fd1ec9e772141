"""The intensity-volume histogram: which share of the volume has at least an intensity.

Source: IBSI reference manual, arXiv:1612.07003, section 3.5.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def volume_histogram_features(
    values: NDArray[Any], low: float, high: float, step: float
) -> dict[str, float]:
    """The family ``ivh``.

    Args:
        values: Intensities on the histogram's axis, (N,): multiples of ``step`` from ``low``.
        low: Where the axis begins.
        high: Where it ends.
        step: Between two intensities of the axis.
    """
    count = round((high - low) / step) + 1
    places = np.rint((values.astype(np.float64) - low) / step).astype(np.int64)
    reached = np.bincount(places, minlength=count)[::-1].cumsum()[::-1] / len(values)
    axis = np.asarray(low + step * np.arange(count), np.float64)
    part = np.arange(count) / max(count - 1, 1)
    v10, v90 = (float(reached[np.argmax(part >= share - 1e-12)]) for share in (0.1, 0.9))
    i10, i90 = (_intensity_at(axis, reached, step, share) for share in (0.1, 0.9))
    return {
        "VolumeFractionAt10Intensity": v10,
        "VolumeFractionAt90Intensity": v90,
        "IntensityAt10Volume": i10,
        "IntensityAt90Volume": i90,
        "VolumeFractionDifference10To90": v10 - v90,
        "IntensityDifference10To90": i10 - i90,
    }


def _intensity_at(
    axis: NDArray[np.float64], reached: NDArray[Any], step: float, share: float
) -> float:
    """The least intensity that at most this share of the volume reaches, or the axis' end."""
    below = np.flatnonzero(reached <= share)
    return float(axis[below[0]] if len(below) else axis[-1] + step)
