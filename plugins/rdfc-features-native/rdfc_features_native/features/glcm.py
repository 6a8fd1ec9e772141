"""Features of the grey level co-occurrence matrix.

Source: Haralick et al. 1973; definitions and edge cases as PyRadiomics 3.0.1 documents them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.features.joint import Joint, joint_exact, joint_sums
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
        joint = joint_sums(cells, first, second, total, symmetrical, table)
        if table.size == 0:
            joint = joint_exact(joint, cells, first, second, total, symmetrical)
        _fill(rows[way], joint, levels, first, second, sums, differences, total, top, table)
    return rows


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
    mean_first, variance_first = _spread(first, levels, total)
    mean_second, variance_second = _spread(second, levels, total)
    _of_sums(row, sums, mean_first + mean_second, total, table)
    _of_differences(row, differences, top, total, table)
    row[0] -= row[4] / 4  # i j = ((i + j)² − (i − j)²) / 4
    deviations = np.sqrt(variance_first) * np.sqrt(variance_second)
    covariance = (row[3] - row[4] + (mean_first - mean_second) ** 2) / 4
    row[5] = 1.0 if deviations == 0 else covariance / (deviations + EPSILON)
    larger = max(_entropy(first, total, table), _entropy(second, total, table))
    row[13] = (entropy - crossed) / larger if larger != 0 else 0.0
    excess = product - entropy
    row[14] = 0.0 if excess == 0 else np.sqrt(1 - np.exp(-2 * excess))
    row[16] = mean_first
    row[17], row[18], row[20] = energy, entropy, largest
    row[23] = variance_first


@compiled
def _spread(
    counts: NDArray[np.float64], levels: NDArray[np.float64], total: float
) -> tuple[float, float]:
    """Mean and variance of the levels."""
    mean, variance = 0.0, 0.0
    for i in range(counts.size):
        mean += levels[i] * counts[i] / total
    for i in range(counts.size):
        variance += counts[i] / total * (levels[i] - mean) ** 2
    return mean, variance


@compiled
def _of_sums(
    row: NDArray[np.float64],
    sums: NDArray[np.float64],
    mean: float,
    total: float,
    table: NDArray[np.float64],
) -> None:
    """Features of i + j; the first is Σ (i + j)² p / 4."""
    tendency, shade, prominence, squares, average = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(sums.size):
        if sums[k] != 0:
            share = sums[k] / total
            away = k - mean
            tendency += share * away**2
            shade += share * away**3
            prominence += share * away**4
            squares += share * k * k
            average += share * k
    row[0] = squares / 4
    row[1], row[2], row[3] = prominence, shade, tendency
    row[21] = average
    row[22] = _entropy(sums, total, table)


@compiled
def _of_differences(
    row: NDArray[np.float64],
    differences: NDArray[np.float64],
    top: int,
    total: float,
    table: NDArray[np.float64],
) -> None:
    """Features of |i − j|."""
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
    row[4] = contrast
    row[6] = average
    row[7] = _entropy(differences, total, table)
    row[8] = variance
    row[9], row[10], row[11], row[12] = near, near_squared, near_squared_scaled, near_scaled
    row[15] = inverse


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
