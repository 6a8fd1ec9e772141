"""The features of one small co-occurrence matrix, given as a list of its cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.features.logarithms import EPSILON
from rdfc_features_native.voxels.glcm_entropies import of_histograms, of_probabilities

Values = NDArray[np.float64]
Ranks = NDArray[np.uint32]


@compiled
def difference_weights(top: int) -> Values:
    """Of each difference of grey levels: what it weighs in Id, Idm, Idmn, Idn and InverseVariance.

    Args:
        top: The highest grey level of the region.

    Returns:
        (top + 1, 5).
    """
    weights = np.empty((top + 1, 5))
    for d in range(top + 1):
        squared = float(d) * d
        weights[d, 0] = 1 / (1 + d)
        weights[d, 1] = 1 / (1 + squared)
        weights[d, 2] = 1 / (1 + squared / (float(top) * top))
        weights[d, 3] = 1 / (1 + d / top)
        weights[d, 4] = 1 / squared if d > 0 else 0.0
    return weights


@compiled
def add_features(
    counts: Values,
    rows: Ranks,
    columns: Ranks,
    listed: int,
    margins: Values,
    count: int,
    levels: Values,
    histograms: Values,
    of_difference: Values,
    symmetrical: bool,
    exact: bool,
    table: Values,
    row: Values,
) -> None:
    """Add all features but MCC to a row, and empty the matrix.

    Args:
        counts: The matrix, (rank, rank), flat; if symmetrical each pair once, lower rank first.
        rows: Row of each cell that is not 0.
        columns: Column of each cell that is not 0.
        listed: How many these are, 1 at least.
        margins: Sums of rows and of columns, (2, ranks); if symmetrical those of rows alone, of
            each pair both ways.
        count: Ranks.
        levels: The grey level of each rank.
        histograms: Zeros for the counts of i + j and |i − j|, (2, 2 top + 1); so again afterwards.
        of_difference: As `difference_weights` gives them.
        symmetrical: Count each pair both ways.
        exact: Entropies cell by cell with PyRadiomics' epsilon, as weights may be tiny.
        table: Of n log2 n.
        row: In the order of `features.glcm.NAMES`, (24,).
    """
    second = 0 if symmetrical else 1
    total = 0.0
    for rank in range(count):
        total += margins[0, rank]
    if symmetrical:
        total /= 2
    margin = 2 * total if symmetrical else total
    mean_first, variance_first = _spread(margins, 0, levels, count, margin)
    mean_second, variance_second = mean_first, variance_first
    if not symmetrical:
        mean_second, variance_second = _spread(margins, 1, levels, count, margin)
    covariance = _of_cells(
        counts,
        rows,
        columns,
        listed,
        levels,
        histograms,
        of_difference,
        total,
        mean_first,
        mean_second,
        row,
    )
    deviations = np.sqrt(variance_first) * np.sqrt(variance_second)
    row[5] += 1.0 if deviations == 0 else covariance / (deviations + EPSILON)
    row[16] += mean_first
    row[23] += variance_first
    of_probabilities(
        counts,
        rows,
        columns,
        listed,
        margins,
        second,
        count,
        margin,
        symmetrical,
        exact,
        table,
        row,
    )
    of_histograms(rows, columns, listed, levels, histograms, total, exact, table, row)
    size = np.uint32(levels.size)
    for t in range(listed):
        counts[rows[t] * size + columns[t]] = 0
    for rank in range(count):
        margins[0, rank] = 0
        margins[1, rank] = 0


@compiled
def _spread(
    margins: Values, which: int, levels: Values, count: int, total: float
) -> tuple[float, float]:
    """Mean and variance of the grey levels."""
    mean, variance = 0.0, 0.0
    for rank in range(count):
        mean += margins[which, rank] * levels[rank]
    mean /= total
    for rank in range(count):
        variance += margins[which, rank] * (levels[rank] - mean) ** 2
    return mean, variance / total


@compiled
def _of_cells(
    counts: Values,
    rows: Ranks,
    columns: Ranks,
    listed: int,
    levels: Values,
    histograms: Values,
    of_difference: Values,
    total: float,
    mean_first: float,
    mean_second: float,
    row: Values,
) -> float:
    """Sums over the cells; counts i + j and |i − j|, and gives the covariance."""
    size = np.uint32(levels.size)
    mean_sum = mean_first + mean_second
    product, contrast, distance, covariance = 0.0, 0.0, 0.0, 0.0
    tendency, shade, prominence, inverse = 0.0, 0.0, 0.0, 0.0
    near, near_squared, near_squared_scaled, near_scaled = 0.0, 0.0, 0.0, 0.0
    for t in range(listed):
        n = counts[rows[t] * size + columns[t]]
        i, j = levels[rows[t]], levels[columns[t]]
        d = abs(i - j)
        step = np.uint32(d)
        away = i + j - mean_sum
        squared = away * away
        product += n * i * j
        covariance += n * (i - mean_first) * (j - mean_second)
        tendency += n * squared
        shade += n * squared * away
        prominence += n * squared * squared
        contrast += n * d * d
        distance += n * d
        near += n * of_difference[step, 0]
        near_squared += n * of_difference[step, 1]
        near_squared_scaled += n * of_difference[step, 2]
        near_scaled += n * of_difference[step, 3]
        inverse += n * of_difference[step, 4]
        histograms[0, np.uint32(i + j)] += n
        histograms[1, step] += n
    share = 1 / total
    mean_distance, variance = distance * share, 0.0
    for t in range(listed):
        d = abs(levels[rows[t]] - levels[columns[t]])
        variance += counts[rows[t] * size + columns[t]] * (d - mean_distance) ** 2
    row[0] += product * share
    row[1] += prominence * share
    row[2] += shade * share
    row[3] += tendency * share
    row[4] += contrast * share
    row[6] += mean_distance
    row[8] += variance * share
    row[9] += near * share
    row[10] += near_squared * share
    row[11] += near_squared_scaled * share
    row[12] += near_scaled * share
    row[15] += inverse * share
    row[21] += mean_sum
    return covariance * share
