"""The features of one small co-occurrence matrix, given as a list of its cells."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.features.logarithms import EPSILON, n_log_n

Values = NDArray[np.float64]
Ints = NDArray[np.int32]

INDEPENDENT_BITS = 1e-12
"""Information of a pair below this is rounding: grey levels are independent."""


class Scratch(NamedTuple):
    """A matrix, and room for its sums; all 0 between two matrices.

    Args:
        cells: Counts of (rank, rank), flat; if symmetrical each pair once, lower rank first.
        used: The cells that are not 0.
        first: Sums of rows; if symmetrical of each pair both ways.
        second: Sums of columns; not used if symmetrical.
        sums: For counts of i + j.
        differences: For counts of |i − j|.
    """

    cells: Values
    used: Ints
    first: Values
    second: Values
    sums: Values
    differences: Values


@compiled
def add_features(
    scratch: Scratch,
    listed: int,
    count: int,
    levels: Values,
    top: int,
    symmetrical: bool,
    exact: bool,
    table: Values,
    row: Values,
) -> None:
    """Add all features but MCC to a row, and empty the matrix.

    Args:
        scratch: The matrix, with one pair at least.
        listed: Its cells that are not 0.
        count: Ranks.
        levels: The grey level of each rank.
        top: The highest grey level of the region.
        symmetrical: Count each pair both ways.
        exact: Entropies cell by cell with PyRadiomics' epsilon, as weights may be tiny.
        table: Of n log2 n.
        row: In the order of `features.glcm.NAMES`, (24,).
    """
    second = scratch.first if symmetrical else scratch.second
    total = 0.0
    for t in range(listed):
        total += scratch.cells[scratch.used[t]]
    margin = 2 * total if symmetrical else total
    mean_first, variance_first = _spread(scratch.first, levels, count, margin)
    mean_second, variance_second = mean_first, variance_first
    if not symmetrical:
        mean_second, variance_second = _spread(second, levels, count, margin)
    covariance = _of_cells(
        scratch, listed, count, levels, top, total, mean_first, mean_second, symmetrical, row
    )
    deviations = np.sqrt(variance_first) * np.sqrt(variance_second)
    row[5] += 1.0 if deviations == 0 else covariance / (deviations + EPSILON)
    row[16] += mean_first
    row[23] += variance_first
    _entropies(scratch, second, listed, count, total, symmetrical, exact, table, row)
    _of_histograms(scratch, listed, count, levels, total, exact, table, row)
    for t in range(listed):
        scratch.cells[scratch.used[t]] = 0
    for rank in range(count):
        scratch.first[rank] = 0
        scratch.second[rank] = 0


@compiled
def _spread(sums: Values, levels: Values, count: int, total: float) -> tuple[float, float]:
    """Mean and variance of the grey levels."""
    mean, variance = 0.0, 0.0
    for rank in range(count):
        mean += sums[rank] * levels[rank]
    mean /= total
    for rank in range(count):
        variance += sums[rank] * (levels[rank] - mean) ** 2
    return mean, variance / total


@compiled
def _of_cells(
    scratch: Scratch,
    listed: int,
    count: int,
    levels: Values,
    top: int,
    total: float,
    mean_first: float,
    mean_second: float,
    symmetrical: bool,
    row: Values,
) -> float:
    """Sums over the cells; lists i + j and |i − j|, and gives the covariance."""
    mean_sum = mean_first + mean_second
    product, contrast, away_sum, covariance = 0.0, 0.0, 0.0, 0.0
    tendency, shade, prominence, inverse = 0.0, 0.0, 0.0, 0.0
    near, near_squared, near_squared_scaled, near_scaled = 0.0, 0.0, 0.0, 0.0
    for t in range(listed):
        n = scratch.cells[scratch.used[t]]
        i, j = levels[scratch.used[t] // count], levels[scratch.used[t] % count]
        d = abs(i - j)
        squared = d * d
        away = i + j - mean_sum
        product += n * i * j
        covariance += n * (i - mean_first) * (j - mean_second)
        tendency += n * away * away
        shade += n * away * away * away
        prominence += n * away * away * away * away
        contrast += n * squared
        away_sum += n * d
        near += n / (1 + d)
        near_squared += n / (1 + squared)
        near_squared_scaled += n / (1 + squared / (float(top) * top))
        near_scaled += n / (1 + d / top)
        if d > 0:
            inverse += n / squared
        scratch.sums[int(i + j)] += n
        scratch.differences[int(d)] += n
    row[0] += product / total
    row[1] += prominence / total
    row[2] += shade / total
    row[3] += tendency / total
    row[4] += contrast / total
    row[6] += away_sum / total
    row[8] += _difference_variance(scratch, listed, count, levels, total, away_sum / total)
    row[9] += near / total
    row[10] += near_squared / total
    row[11] += near_squared_scaled / total
    row[12] += near_scaled / total
    row[15] += inverse / total
    row[21] += mean_sum
    return covariance / total


@compiled
def _difference_variance(
    scratch: Scratch, listed: int, count: int, levels: Values, total: float, mean: float
) -> float:
    variance = 0.0
    for t in range(listed):
        i, j = levels[scratch.used[t] // count], levels[scratch.used[t] % count]
        variance += scratch.cells[scratch.used[t]] * (abs(i - j) - mean) ** 2
    return variance / total


@compiled
def _entropies(
    scratch: Scratch,
    second: Values,
    listed: int,
    count: int,
    total: float,
    symmetrical: bool,
    exact: bool,
    table: Values,
    row: Values,
) -> None:
    """Energy, largest probability, joint entropy, and the two measures of information."""
    margin = 2 * total if symmetrical else total
    energy, largest, joint, crossed = 0.0, 0.0, 0.0, 0.0
    for t in range(listed):
        n = scratch.cells[scratch.used[t]]
        i, j = scratch.used[t] // count, scratch.used[t] % count
        times = 1.0
        if symmetrical and i == j:
            n *= 2
        elif symmetrical:
            times = 2.0
        energy += times * n * n
        largest = max(largest, n)
        joint += times * _bits(n, margin, exact, table)
        if exact:
            q = scratch.first[i] / margin * (second[j] / margin)
            crossed -= times * n / margin * np.log2(q + EPSILON)
    row[17] += energy / margin**2
    row[20] += largest / margin
    joint = _in_all(joint, margin, exact)
    h_first = _entropy(scratch.first, count, margin, exact, table)
    h_second = h_first if symmetrical else _entropy(second, count, margin, exact, table)
    product = h_first + h_second
    if exact:
        product = _product_entropy(scratch.first, second, count, margin)
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
def _product_entropy(first: Values, second: Values, count: int, margin: float) -> float:
    """Entropy of p(i) p(j), with PyRadiomics' epsilon."""
    entropy = 0.0
    for i in range(count):
        for j in range(count):
            q = first[i] / margin * (second[j] / margin)
            entropy -= q * np.log2(q + EPSILON)
    return entropy


@compiled
def _of_histograms(
    scratch: Scratch,
    listed: int,
    count: int,
    levels: Values,
    total: float,
    exact: bool,
    table: Values,
    row: Values,
) -> None:
    """Entropies of i + j and |i − j|, whose counts are emptied."""
    of_sums, of_differences = 0.0, 0.0
    for t in range(listed):
        i, j = levels[scratch.used[t] // count], levels[scratch.used[t] % count]
        n = scratch.sums[int(i + j)]
        if n > 0:
            of_sums += _bits(n, total, exact, table)
            scratch.sums[int(i + j)] = 0
        n = scratch.differences[int(abs(i - j))]
        if n > 0:
            of_differences += _bits(n, total, exact, table)
            scratch.differences[int(abs(i - j))] = 0
    row[22] += _in_all(of_sums, total, exact)
    row[7] += _in_all(of_differences, total, exact)


@compiled
def _entropy(sums: Values, count: int, total: float, exact: bool, table: Values) -> float:
    parts = 0.0
    for rank in range(count):
        if sums[rank] > 0:
            parts += _bits(sums[rank], total, exact, table)
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
