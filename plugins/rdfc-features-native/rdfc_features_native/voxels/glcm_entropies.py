"""Entropies and probabilities of one small co-occurrence matrix."""

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
def of_probabilities(
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
    """Energy, largest probability, joint entropy, and the two measures of information.

    Arguments are as of `glcm_row.add_features`; ``second`` says which margin is that of columns, 0
    if symmetrical and else 1, and ``margin`` is the sum of one.
    """
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
def of_histograms(
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
    """Entropies of i + j and |i − j|, whose counts are emptied.

    Arguments are as of `glcm_row.add_features`; ``total`` is the number of pairs.
    """
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
