"""The maximal correlation coefficient of a window's co-occurrences; see `features.mcc`.

It is the second largest singular value of p(i, j) / √(p(i) p(j)). The largest is 1, and is there
once for every part of the window's grey levels that has no pairs with the others (Chung 1997).
Windows with many grey levels mostly have several such parts, and nothing has to be computed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.voxels.eigenvalues import eigenvalues

Values = NDArray[np.float64]
Ints = NDArray[np.int32]
Ranks = NDArray[np.uint32]


@compiled
def second_correlation(
    counts: Values,
    rows: Ranks,
    columns: Ranks,
    listed: int,
    count: int,
    margins: Values,
    symmetrical: bool,
    parents: Ints,
    scaled: Values,
    squared: Values,
    diagonal: Values,
    beside: Values,
) -> float:
    """The coefficient of one matrix that is not empty.

    Args:
        counts: Pairs of (rank, rank), flat; if symmetrical of the lower rank with the higher one.
        rows: Row of each cell that is not 0.
        columns: Column of each cell that is not 0.
        listed: How many these are.
        count: Ranks.
        margins: Sums of rows and of columns, (2, ranks); if symmetrical those of rows alone, of
            each pair both ways.
        symmetrical: Count each pair both ways.
        parents: Scratch, (2 count,).
        scaled: Scratch, (count, count).
        squared: Scratch, (count, count).
        diagonal: Scratch, (count,).
        beside: Scratch, (count,).
    """
    if _parts(rows, columns, listed, count, symmetrical, parents) > 1:
        return 1.0
    second = 0 if symmetrical else 1
    high = _number(margins, 0, count, parents, 0)
    wide = _number(margins, second, count, parents, count)
    if high == 1 or wide == 1:
        return 0.0
    _scale(counts, rows, columns, listed, count, margins, second, parents, scaled)
    if symmetrical:
        if high == 2:
            return min(1.0, abs(scaled[0, 0] + scaled[1, 1] - 1.0))
        eigenvalues(scaled[:high, :high], diagonal[:high], beside[:high])
        return min(1.0, _second_largest(diagonal[:high]))
    for a in range(high):
        for b in range(a + 1):
            product = 0.0
            for k in range(wide):
                product += scaled[a, k] * scaled[b, k]
            squared[a, b] = squared[b, a] = product
    eigenvalues(squared[:high, :high], diagonal[:high], beside[:high])
    return min(1.0, np.sqrt(_second_largest(diagonal[:high])))


@compiled
def _parts(
    rows: Ranks, columns: Ranks, listed: int, count: int, symmetrical: bool, parents: Ints
) -> int:
    """Parts of the graph whose nodes are rows and columns, and whose edges are pairs."""
    for node in range(2 * count):
        parents[node] = -1  # does not occur
    parts = 0
    for t in range(listed):
        row, column = np.int64(rows[t]), np.int64(columns[t])
        parts += _join(parents, row, count + column)
        if symmetrical and row != column:
            parts += _join(parents, column, count + row)
    return parts


@compiled
def _join(parents: Ints, one: int, other: int) -> int:
    """Put the parts of two nodes together; by how many there are more parts than before."""
    more = 0
    if parents[one] < 0:
        parents[one] = one
        more += 1
    if parents[other] < 0:
        parents[other] = other
        more += 1
    while parents[one] != one:
        parents[one] = parents[parents[one]]
        one = parents[one]
    while parents[other] != other:
        parents[other] = parents[parents[other]]
        other = parents[other]
    if one == other:
        return more
    parents[max(one, other)] = min(one, other)
    return more - 1


@compiled
def _number(margins: Values, which: int, count: int, numbers: Ints, start: int) -> int:
    """Number the ranks that occur, from a place on, and count them."""
    found = 0
    for rank in range(count):
        if margins[which, rank] > 0:
            numbers[start + rank] = found
            found += 1
    return found


@compiled
def _scale(
    counts: Values,
    rows: Ranks,
    columns: Ranks,
    listed: int,
    count: int,
    margins: Values,
    second: int,
    numbers: Ints,
    scaled: Values,
) -> None:
    """p(i, j) / √(p(i) p(j)) of the ranks that occur: the sum of all counts cancels."""
    size = np.uint32(margins.shape[1])
    for a in range(count):
        for b in range(count):
            scaled[a, b] = 0.0
    for t in range(listed):
        row, column = rows[t], columns[t]
        a, b = numbers[row], numbers[count + np.int64(column)]
        part = counts[row * size + column] / np.sqrt(margins[0, row] * margins[second, column])
        scaled[a, b] += part
        if second == 0:
            scaled[b, a] += part


@compiled
def _second_largest(values: Values) -> float:
    """Of the absolute values."""
    largest, following = 0.0, 0.0
    for value in values:
        size = abs(value)
        if size > largest:
            largest, following = size, largest
        elif size > following:
            following = size
    return following
