"""Filters that change each grey value by itself, scaled to the range of the whole image.

Source: PyRadiomics 3.0.1's documentation of the image types.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def square(values: Values, largest: float) -> Values:
    """(c x)² with c = 1 / √max |x|.

    Args:
        values: Grey values, any shape.
        largest: max |x| over the whole image; the same for the other filters.
    """
    return (1 / math.sqrt(largest) * values) ** 2


def square_root(values: Values, largest: float) -> Values:
    """√(max |x| · |x|), with the sign of x."""
    return np.sign(values) * np.sqrt(np.abs(values) * largest)


def logarithm(values: Values, largest: float) -> Values:
    """Log(|x| + 1) with the sign of x, scaled so that the largest value keeps its size."""
    scale = largest / math.log(largest + 1)
    return np.asarray(np.sign(values) * np.log(np.abs(values) + 1) * scale)


def exponential(values: Values, largest: float) -> Values:
    """e^(c x) with c = log(max |x|) / max |x|."""
    return np.exp(math.log(largest) / largest * values)


FILTERS: dict[str, Callable[[Values, float], Values]] = {
    "Square": square,
    "SquareRoot": square_root,
    "Logarithm": logarithm,
    "Exponential": exponential,
}
