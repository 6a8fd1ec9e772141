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


@compiled
def second_correlation(
    cells: Values,
    used: Ints,
    listed: int,
    count: int,
    first: Values,
    second: Values,
    symmetrical: bool,
    parents: Ints,
    scaled: Values,
    squared: Values,
    diagonal: Values,
    beside: Values,
) -> float:
    """The coefficient of one matrix that is not empty.

    Args:
        cells: Pairs of (rank, rank), flat with ``count`` columns; if symmetrical of the lower rank
            with the higher one.
        used: The cells that are not 0.
        listed: How many these are.
        count: Ranks.
        first: Sums of rows, (count,).
        second: Sums of columns; those of rows if symmetrical.
        symmetrical: Count each pair both ways.
        parents: Scratch, (2 count,).
        scaled: Scratch, (count, count).
        squared: Scratch, (count, count).
        diagonal: Scratch, (count,).
        beside: Scratch, (count,).
    """
    if _parts(used, listed, count, symmetrical, parents) > 1:
        return 1.0
    rows = _number(first, count, parents[:count])
    columns = _number(second, count, parents[count : 2 * count])
    if rows == 1 or columns == 1:
        return 0.0
    _scale(cells, used, listed, count, first, second, symmetrical, parents, scaled)
    if symmetrical:
        if rows == 2:
            return min(1.0, abs(scaled[0, 0] + scaled[1, 1] - 1.0))
        eigenvalues(scaled[:rows, :rows], diagonal[:rows], beside[:rows])
        return min(1.0, _second_largest(diagonal[:rows]))
    for a in range(rows):
        for b in range(a + 1):
            product = 0.0
            for k in range(columns):
                product += scaled[a, k] * scaled[b, k]
            squared[a, b] = squared[b, a] = product
    eigenvalues(squared[:rows, :rows], diagonal[:rows], beside[:rows])
    return min(1.0, np.sqrt(_second_largest(diagonal[:rows])))


@compiled
def _parts(used: Ints, listed: int, count: int, symmetrical: bool, parents: Ints) -> int:
    """Parts of the graph whose nodes are rows and columns, and whose edges are pairs."""
    for node in range(2 * count):
        parents[node] = -1  # does not occur
    parts = 0
    for t in range(listed):
        row, column = used[t] // count, used[t] % count
        for way in range(2 if symmetrical else 1):
            one = row if way == 0 else column
            other = count + (column if way == 0 else row)
            for node in (one, other):
                if parents[node] < 0:
                    parents[node] = node
                    parts += 1
            while parents[one] != one:
                one = parents[one]
            while parents[other] != other:
                other = parents[other]
            if one != other:
                parents[max(one, other)] = min(one, other)
                parts -= 1
    return parts


@compiled
def _number(sums: Values, count: int, numbers: Ints) -> int:
    """Number the ranks that occur, and count them."""
    found = 0
    for rank in range(count):
        numbers[rank] = -1
        if sums[rank] > 0:
            numbers[rank] = found
            found += 1
    return found


@compiled
def _scale(
    cells: Values,
    used: Ints,
    listed: int,
    count: int,
    first: Values,
    second: Values,
    symmetrical: bool,
    numbers: Ints,
    scaled: Values,
) -> None:
    """p(i, j) / √(p(i) p(j)) of the ranks that occur: the sum of all counts cancels."""
    for a in range(count):
        for b in range(count):
            scaled[a, b] = 0.0
    for t in range(listed):
        row, column = used[t] // count, used[t] % count
        a, b = numbers[row], numbers[count + column]
        part = cells[used[t]] / np.sqrt(first[row] * second[column])
        if symmetrical:
            scaled[a, b] += part
            scaled[b, a] += part
        else:
            scaled[a, b] = part


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
