"""Probabilities at another temperature."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax


def tempered(probabilities: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Probabilities (N, C) at another temperature: the order of each row's classes stays."""
    floor = np.finfo(np.float64).tiny  # a class ruled out stays next to ruled out
    return np.asarray(softmax(np.log(np.maximum(probabilities, floor)) / temperature, axis=1))
