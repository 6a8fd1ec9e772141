"""What the joint probabilities of a co-occurrence matrix give: energy, maximum and entropies.

Source: Haralick et al. 1973; definitions as PyRadiomics 3.0.1 documents them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.features.logarithms import (
    EPSILON,
    EPSILON_BITS,
    entropy_of_sums,
    n_log_n,
)

Joint = tuple[float, float, float, float, float]


@compiled
def joint_sums(
    cells: NDArray[Any],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    total: float,
    symmetrical: bool,
    table: NDArray[np.float64],
) -> Joint:
    """Energy, maximum, and three entropies: joint, crossed with p(i) p(j), and of p(i) p(j)."""
    size = first.size
    squares = 0.0
    logs = 0.0
    largest = 0.0
    ratios = 0.0
    filled = 0
    for i in range(size):
        for j in range(i if symmetrical else 0, size):
            count = float(cells[i, j])
            times = 1
            if symmetrical:
                count += cells[j, i]
                times = 2 if j > i else 1
            if count != 0:
                filled += times
                squares += times * count * count
                logs += times * n_log_n(count, table)
                largest = max(largest, count)
                ratios += times * count / (first[i] * second[j])
    entropy = entropy_of_sums(logs, total, filled) - filled * EPSILON_BITS
    # log p(i) p(j) falls apart; epsilon is added to first order.
    independent, cells_independent = 0.0, 1
    for margin in (first, second):
        margin_logs, margin_filled = 0.0, 0
        for count in margin:
            if count != 0:
                margin_logs += n_log_n(count, table)
                margin_filled += 1
        independent += entropy_of_sums(margin_logs, total, margin_filled)
        cells_independent *= margin_filled
    crossed = independent - ratios * total * EPSILON_BITS
    product = independent - cells_independent * EPSILON_BITS
    return squares / total**2, largest / total, entropy, crossed, product


@compiled
def joint_exact(
    joint: Joint,
    cells: NDArray[Any],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    total: float,
    symmetrical: bool,
) -> Joint:
    """The entropies of `joint_sums` again, cell by cell."""
    entropy, crossed, product = 0.0, 0.0, 0.0
    for i in range(first.size):
        for j in range(second.size):
            p = float(cells[i, j]) / total
            if symmetrical:
                p += cells[j, i] / total
            q = first[i] / total * (second[j] / total)
            entropy -= p * np.log2(p + EPSILON)
            crossed -= p * np.log2(q + EPSILON)
            product -= q * np.log2(q + EPSILON)
    return joint[0], joint[1], entropy, crossed, product
