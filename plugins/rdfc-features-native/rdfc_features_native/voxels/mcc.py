"""The maximal correlation coefficient of a window's co-occurrences; see `features.mcc`.

It is the second largest singular value of p(i, j) / √(p(i) p(j)). The largest is 1, and is there
once for every part of the window's grey levels that has no pairs with the others (Chung 1997).
Windows with many grey levels mostly have several such parts, and nothing has to be computed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.voxels.eigenvalues import largest_size

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
    numbers: Ints,
    parents: Ints,
    roots: Values,
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
        numbers: Scratch, (2 count,).
        parents: Scratch, (2 count,).
        roots: Scratch, (2, ranks).
        scaled: Scratch, (count, count).
        squared: Scratch, (count, count).
        diagonal: Scratch, (count,).
        beside: Scratch, (count,).
    """
    second = 0 if symmetrical else 1
    high = _number(margins, 0, count, numbers, 0)
    wide = high if symmetrical else _number(margins, 1, count, numbers, count)
    if high == 1 or wide == 1:
        return 0.0
    nodes = high if symmetrical else high + wide - 1
    if listed < nodes or not _hangs_together(
        rows, columns, listed, count, symmetrical, high, wide, numbers, parents
    ):
        return 1.0
    _roots(margins, count, second, roots)
    _scale(counts, rows, columns, listed, count, roots, second, numbers, high, wide, scaled)
    if symmetrical:
        if high == 2:
            return float(min(1.0, abs(scaled[0, 0] + scaled[1, 1] - 1.0)))
        _take_largest_out(scaled, roots, count, numbers)
        largest = largest_size(scaled[:high, :high], diagonal[:high], beside[:high])
        return float(min(1.0, largest))
    for a in range(high):
        for b in range(a + 1):
            product = 0.0
            for k in range(wide):
                product += scaled[a, k] * scaled[b, k]
            squared[a, b] = squared[b, a] = product
    _take_largest_out(squared, roots, count, numbers)
    largest = largest_size(squared[:high, :high], diagonal[:high], beside[:high])
    return float(min(1.0, np.sqrt(largest)))


@compiled
def _hangs_together(
    rows: Ranks,
    columns: Ranks,
    listed: int,
    count: int,
    symmetrical: bool,
    high: int,
    wide: int,
    numbers: Ints,
    parents: Ints,
) -> bool:
    """Whether the graph of rows and columns, whose edges are pairs, is in one part."""
    if not symmetrical:
        return _parts(rows, columns, listed, count, numbers, False, high, high + wide, parents) == 1
    # Where a level meets itself, rows and columns hang together if the levels do.
    for t in range(listed):
        if rows[t] == columns[t]:
            return _parts(rows, columns, listed, 0, numbers, False, 0, high, parents) == 1
    return _parts(rows, columns, listed, 0, numbers, True, high, 2 * high, parents) == 1


@compiled
def _parts(
    rows: Ranks,
    columns: Ranks,
    listed: int,
    start: int,
    numbers: Ints,
    both_ways: bool,
    shift: int,
    nodes: int,
    parents: Ints,
) -> int:
    """Parts of a graph, by union and find.

    Args:
        rows: One end of each edge, as a rank.
        columns: The other end.
        listed: Edges.
        start: Where the numbers of columns begin in ``numbers``.
        numbers: Of ranks.
        both_ways: Each edge joins the second end's row with the first end's column as well.
        shift: The first node that is a column.
        nodes: How many there are.
        parents: Scratch, (nodes,).
    """
    for node in range(nodes):
        parents[node] = node
    parts = nodes
    for t in range(listed):
        row, column = numbers[rows[t]], numbers[start + np.int64(columns[t])]
        parts -= _join(parents, row, shift + column)
        if both_ways:
            parts -= _join(parents, column, shift + row)
        if parts == 1:
            break
    return parts


@compiled
def _join(parents: Ints, one: int, other: int) -> int:
    """Put the parts of two nodes together; 1 if they were two."""
    while parents[one] != one:
        parents[one] = parents[parents[one]]
        one = parents[one]
    while parents[other] != other:
        parents[other] = parents[parents[other]]
        other = parents[other]
    parents[max(one, other)] = min(one, other)
    return 1 if one != other else 0


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
    roots: Values,
    second: int,
    numbers: Ints,
    high: int,
    wide: int,
    scaled: Values,
) -> None:
    """p(i, j) / √(p(i) p(j)) of the ranks that occur."""
    size = np.uint32(roots.shape[1])
    start = count if second else 0
    for a in range(high):
        for b in range(wide):
            scaled[a, b] = 0.0
    total = 0.0
    for t in range(listed):
        total += counts[rows[t] * size + columns[t]]
    share = 1 / total if second else 0.5 / total
    for t in range(listed):
        row, column = rows[t], columns[t]
        a, b = numbers[row], numbers[start + np.int64(column)]
        part = counts[row * size + column] * share / (roots[0, row] * roots[second, column])
        scaled[a, b] += part
        if second == 0:
            scaled[b, a] += part


@compiled
def _roots(margins: Values, count: int, second: int, roots: Values) -> None:
    """√p of rows, and of columns where these differ; 0 of ranks that do not occur."""
    for which in range(second + 1):
        total = 0.0
        for rank in range(count):
            total += margins[which, rank]
        for rank in range(count):
            roots[which, rank] = np.sqrt(margins[which, rank] / total)


@compiled
def _take_largest_out(matrix: Values, roots: Values, count: int, numbers: Ints) -> None:
    """Make the eigenvalue 1 a 0; its vector is √p(i)."""
    for one in range(count):
        if roots[0, one] > 0:
            for other in range(one + 1):
                if roots[0, other] > 0:
                    part = roots[0, one] * roots[0, other]
                    matrix[numbers[one], numbers[other]] -= part
                    if one != other:
                        matrix[numbers[other], numbers[one]] -= part
