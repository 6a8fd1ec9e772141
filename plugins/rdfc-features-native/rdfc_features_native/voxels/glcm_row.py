"""The features of one small co-occurrence matrix, given as a list of its cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.features.logarithms import EPSILON, n_log_n

Values = NDArray[np.float64]
Ranks = NDArray[np.uint32]

INDEPENDENT_BITS = 1e-12
"""Information of a pair below this is rounding: grey levels are independent."""


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
    _entropies(
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
    _of_histograms(rows, columns, listed, levels, histograms, total, exact, table, row)
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


@compiled
def _entropies(
    counts: Values,
    rows: Ranks,
    columns: Ranks,
    listed: int,
    margins: Values,
    second: int,
    count: int,
    margin: float,
    symmetrical: bool,
    exact: bool,
    table: Values,
    row: Values,
) -> None:
    """Energy, largest probability, joint entropy, and the two measures of information."""
    size = np.uint32(margins.shape[1])
    energy, largest, joint, crossed = 0.0, 0.0, 0.0, 0.0
    for t in range(listed):
        n = counts[rows[t] * size + columns[t]]
        times = 1.0
        if symmetrical and rows[t] == columns[t]:
            n *= 2
        elif symmetrical:
            times = 2.0
        energy += times * n * n
        largest = max(largest, n)
        joint += times * _bits(n, margin, exact, table)
        if exact:
            q = margins[0, rows[t]] / margin * (margins[second, columns[t]] / margin)
            crossed -= times * n / margin * np.log2(q + EPSILON)
    row[17] += energy / (margin * margin)
    row[20] += largest / margin
    joint = _in_all(joint, margin, exact)
    h_first = _entropy(margins, 0, count, margin, exact, table)
    h_second = h_first if symmetrical else _entropy(margins, 1, count, margin, exact, table)
    product = h_first + h_second
    if exact:
        product = _product_entropy(margins, second, count, margin)
    else:
        crossed = product
    row[18] += joint
    largest_entropy = max(h_first, h_second)
    if largest_entropy > 0:
        row[13] += (joint - crossed) / largest_entropy
    excess = product - joint
    if excess > INDEPENDENT_BITS:
        row[14] += np.sqrt(1 - np.exp(-2 * excess))


@compiled
def _product_entropy(margins: Values, second: int, count: int, margin: float) -> float:
    """Entropy of p(i) p(j), with PyRadiomics' epsilon."""
    entropy = 0.0
    for i in range(count):
        for j in range(count):
            q = margins[0, i] / margin * (margins[second, j] / margin)
            entropy -= q * np.log2(q + EPSILON)
    return entropy


@compiled
def _of_histograms(
    rows: Ranks,
    columns: Ranks,
    listed: int,
    levels: Values,
    histograms: Values,
    total: float,
    exact: bool,
    table: Values,
    row: Values,
) -> None:
    """Entropies of i + j and |i − j|, whose counts are emptied."""
    of_sums, of_differences = 0.0, 0.0
    for t in range(listed):
        i, j = levels[rows[t]], levels[columns[t]]
        place = np.uint32(i + j)
        if histograms[0, place] > 0:
            of_sums += _bits(histograms[0, place], total, exact, table)
            histograms[0, place] = 0
        place = np.uint32(abs(i - j))
        if histograms[1, place] > 0:
            of_differences += _bits(histograms[1, place], total, exact, table)
            histograms[1, place] = 0
    row[22] += _in_all(of_sums, total, exact)
    row[7] += _in_all(of_differences, total, exact)


@compiled
def _entropy(
    margins: Values, which: int, count: int, total: float, exact: bool, table: Values
) -> float:
    parts = 0.0
    for rank in range(count):
        if margins[which, rank] > 0:
            parts += _bits(margins[which, rank], total, exact, table)
    return _in_all(parts, total, exact)


@compiled
def _bits(n: float, total: float, exact: bool, table: Values) -> float:
    """What a cell adds to the sum that `_in_all` makes an entropy of."""
    if exact:
        return float(-n / total * np.log2(n / total + EPSILON))
    return n_log_n(n, table)


@compiled
def _in_all(parts: float, total: float, exact: bool) -> float:
    if exact:
        return parts
    return float(max(0.0, np.log2(total) - parts / total))
