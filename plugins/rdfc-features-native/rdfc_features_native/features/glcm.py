"""Features of the grey level co-occurrence matrix.

Source: Haralick et al. 1973; definitions and edge cases as PyRadiomics 3.0.1 documents them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.features.logarithms import (
    EPSILON,
    EPSILON_BITS,
    N_LOG_N,
    entropy_of_sums,
    n_log_n,
)
from rdfc_features_native.features.mcc import maximal_correlation

NAMES = (
    *("Autocorrelation", "ClusterProminence", "ClusterShade", "ClusterTendency", "Contrast"),
    *("Correlation", "DifferenceAverage", "DifferenceEntropy", "DifferenceVariance", "Id"),
    *("Idm", "Idmn", "Idn", "Imc1", "Imc2", "InverseVariance", "JointAverage", "JointEnergy"),
    *("JointEntropy", "MCC", "MaximumProbability", "SumAverage", "SumEntropy", "SumSquares"),
)


Joint = tuple[float, float, float, float, float]


def glcm_features(
    pairs: NDArray[Any],
    levels: NDArray[np.float64],
    top: int,
    symmetrical: bool,
    weights: NDArray[np.float64] | None,
    with_mcc: bool,
) -> NDArray[np.float64]:
    """All features, a row for each direction, (D, 24); NaN where a direction has no pairs.

    Args:
        pairs: Counts, (D, C + 1, C + 1); row and column 0 are ignored.
        levels: Grey level of each code, (C + 1,).
        top: The highest grey level.
        symmetrical: Count each pair both ways.
        weights: Sum the directions with these weights, (D,), into one row; None: keep them apart.
        with_mcc: The maximal correlation coefficient takes eigenvalues; NaN unless asked for.
    """
    inner = pairs[:, 1:, 1:]
    if weights is not None:
        inner = np.tensordot(weights, inner, axes=1)[None]
    # Weights can make probabilities far smaller than PyRadiomics' epsilon: no table then.
    table = N_LOG_N if weights is None else N_LOG_N[:0]
    rows = _features(inner, levels[1:], top, symmetrical, table)
    if with_mcc:
        rows[:, NAMES.index("MCC")] = maximal_correlation(inner, symmetrical)
    return rows


@compiled
def _features(
    counts: NDArray[Any],
    levels: NDArray[np.float64],
    top: int,
    symmetrical: bool,
    table: NDArray[np.float64],
) -> NDArray[np.float64]:
    ways, size, _ = counts.shape
    rows = np.full((ways, 24), np.nan)
    first = np.empty(size)
    second = np.empty(size)
    sums = np.empty(2 * top + 1)
    differences = np.empty(top + 1)
    for way in range(ways):
        first[:] = 0
        second[:] = 0
        sums[:] = 0
        differences[:] = 0
        cells = counts[way]
        for i in range(size):
            for j in range(size):
                count = float(cells[i, j])
                if count != 0:
                    first[i] += count
                    second[j] += count
                    sums[int(levels[i] + levels[j])] += count
                    differences[int(abs(levels[i] - levels[j]))] += count
        total = first.sum()
        if total == 0:
            continue
        if symmetrical:
            for i in range(size):
                first[i] += second[i]
                second[i] = first[i]
            total *= 2
            sums *= 2
            differences *= 2
        joint = _joint(cells, first, second, total, symmetrical, table)
        if table.size == 0:
            joint = _joint_exact(joint, cells, first, second, total, symmetrical)
        _fill(rows[way], joint, levels, first, second, sums, differences, total, top, table)
    return rows


@compiled
def _joint(
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
def _joint_exact(
    joint: Joint,
    cells: NDArray[Any],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    total: float,
    symmetrical: bool,
) -> Joint:
    """The entropies of `_joint` again, cell by cell."""
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


@compiled
def _fill(
    row: NDArray[np.float64],
    joint: Joint,
    levels: NDArray[np.float64],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    sums: NDArray[np.float64],
    differences: NDArray[np.float64],
    total: float,
    top: int,
    table: NDArray[np.float64],
) -> None:
    """All features but MCC, from the joint sums and the marginal counts."""
    energy, largest, entropy, crossed, product = joint
    mean_first, mean_second = 0.0, 0.0
    for i in range(first.size):
        mean_first += levels[i] * first[i] / total
        mean_second += levels[i] * second[i] / total
    squares_first, squares_second = 0.0, 0.0
    for i in range(first.size):
        squares_first += first[i] / total * (levels[i] - mean_first) ** 2
        squares_second += second[i] / total * (levels[i] - mean_second) ** 2

    tendency, shade, prominence, product_sum, sum_average = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(sums.size):
        if sums[k] != 0:
            share = sums[k] / total
            away = k - mean_first - mean_second
            tendency += share * away**2
            shade += share * away**3
            prominence += share * away**4
            product_sum += share * k * k
            sum_average += share * k
    row[0] = product_sum / 4
    row[1], row[2], row[3] = prominence, shade, tendency
    row[21] = sum_average
    row[22] = _entropy(sums, total, table)

    contrast, average, inverse = 0.0, 0.0, 0.0
    near, near_squared, near_squared_scaled, near_scaled = 0.0, 0.0, 0.0, 0.0
    for k in range(differences.size):
        if differences[k] != 0:
            share = differences[k] / total
            contrast += share * k * k
            average += share * k
            near += share / (1 + k)
            near_squared += share / (1 + k * k)
            near_squared_scaled += share / (1 + k * k / (top * top))
            near_scaled += share / (1 + k / top)
            if k > 0:
                inverse += share / (k * k)
    variance = 0.0
    for k in range(differences.size):
        variance += differences[k] / total * (k - average) ** 2
    row[0] -= contrast / 4  # i j = ((i + j)² − (i − j)²) / 4
    row[4] = contrast
    row[6] = average
    row[7] = _entropy(differences, total, table)
    row[8] = variance
    row[9], row[10], row[11], row[12] = near, near_squared, near_squared_scaled, near_scaled
    row[15] = inverse

    spread = np.sqrt(squares_first) * np.sqrt(squares_second)
    covariance = (tendency - contrast + (mean_first - mean_second) ** 2) / 4
    row[5] = 1.0 if spread == 0 else covariance / (spread + EPSILON)
    larger = max(_entropy(first, total, table), _entropy(second, total, table))
    row[13] = (entropy - crossed) / larger if larger != 0 else 0.0
    excess = product - entropy
    row[14] = 0.0 if excess == 0 else np.sqrt(1 - np.exp(-2 * excess))
    row[16] = mean_first
    row[17], row[18], row[20] = energy, entropy, largest
    row[23] = squares_first


@compiled
def _entropy(counts: NDArray[np.float64], total: float, table: NDArray[np.float64]) -> float:
    """In bits, with PyRadiomics' epsilon; cell by cell if there is no table."""
    logs, filled, exact = 0.0, 0, 0.0
    for count in counts:
        if count != 0:
            if table.size > 0:
                logs += n_log_n(count, table)
            else:
                exact -= count / total * np.log2(count / total + EPSILON)
            filled += 1
    if table.size == 0:
        return exact
    return entropy_of_sums(logs, total, filled) - filled * EPSILON_BITS
