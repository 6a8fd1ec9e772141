"""Entropies from counts, by a table of n log2 n."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled

EPSILON = float(np.spacing(1.0))
"""PyRadiomics takes log2(p + epsilon); to first order each p > 0 adds epsilon / ln 2."""
EPSILON_BITS = EPSILON / math.log(2)

_COUNTS = np.arange(4096, dtype=np.float64)
N_LOG_N = _COUNTS * np.log2(np.maximum(_COUNTS, 1))
"""n log2 n of whole numbers n."""


@compiled
def n_log_n(count: float, table: NDArray[np.float64]) -> float:
    """Count × log2(count), from the table `N_LOG_N` where it is a small whole number."""
    whole = int(count)
    if whole == count and whole < table.size:
        return float(table[whole])
    return float(count * np.log2(count))


@compiled
def entropy_of_sums(logs: float, total: float, filled: int) -> float:
    """Entropy in bits of counts, without the epsilon.

    Args:
        logs: Sum of `n_log_n` of the counts.
        total: Their sum.
        filled: How many are above 0; the entropy of a single one is exactly 0.
    """
    return float(np.log2(total) - logs / total) if filled > 1 else 0.0
