"""First-order features of the window around each voxel; definitions as in `features.firstorder`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.features.logarithms import n_log_n
from rdfc_features_native.voxels.window import look

Values = NDArray[np.float64]

FEATURES = 19


@compiled
def firstorder_maps(
    grid: NDArray[np.uint16],
    values: Values,
    places: NDArray[np.int64],
    offsets: NDArray[np.int64],
    count: int,
    shift: float,
    voxel_volume_mm3: float,
    table: Values,
) -> Values:
    """All features in the order of `features.firstorder.NAMES`, (19, N).

    Args:
        grid: Codes on the flat padded grid, 0 outside.
        values: Of the image on the same grid.
        places: Of the N voxels on it.
        offsets: To the window's places.
        count: The highest code.
        shift: Added to values for energies (``voxelArrayShift``).
        voxel_volume_mm3: For TotalEnergy.
        table: Of n log2 n.
    """
    size = offsets.size
    rank_of = np.full(count + 1, -1, np.int32)
    ranks = np.empty(size, np.int32)
    codes = np.empty(size, np.int32)
    held = np.empty(size)
    counts = np.empty(size)
    out = np.empty((FEATURES, places.size))
    for v in range(places.size):
        levels = look(grid, places[v], offsets, rank_of, ranks, codes)
        counts[:levels] = 0
        inside = 0
        for k in range(size):
            if ranks[k] >= 0:
                held[inside] = values[places[v] + offsets[k]]
                inside += 1
                counts[ranks[k]] += 1
        _sort(held[:inside])
        logs, squares = 0.0, 0.0
        for rank in range(levels):
            logs += n_log_n(counts[rank], table)
            squares += counts[rank] * counts[rank]
        out[3, v] = np.log2(inside) - logs / inside if levels > 1 else 0.0
        out[16, v] = squares / (inside * inside)
        _of_values(held[:inside], shift, out[:, v])
        out[15, v] = out[2, v] * voxel_volume_mm3
    return out


@compiled
def _sort(values: Values) -> None:
    """In place; by insertion where they are few."""
    if values.size > 64:
        values.sort()
        return
    for k in range(1, values.size):
        value = values[k]
        j = k
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value


@compiled
def _quantile(ordered: Values, part: float) -> float:
    """Linear between the two nearest values, rounded as NumPy rounds it."""
    rank = (ordered.size - 1) * part
    below = int(np.floor(rank))
    above = min(below + 1, ordered.size - 1)
    part = rank - below
    a, b = ordered[below], ordered[above]
    return float(a + (b - a) * part if part < 0.5 else b - (b - a) * (1 - part))


@compiled
def _of_values(ordered: Values, shift: float, row: Values) -> None:
    """What the values give without their grey levels.

    Args:
        ordered: Ascending, (n,).
        shift: For energies.
        row: To be filled, (19,).
    """
    size = ordered.size
    low, high = ordered[0], ordered[size - 1]
    mean, energy = 0.0, 0.0
    for value in ordered:
        mean += value
        energy += (value + shift) * (value + shift)
    mean /= size
    m2, m3, m4, deviation = 0.0, 0.0, 0.0, 0.0
    for value in ordered:
        away = value - mean
        m2 += away * away
        m3 += away * away * away
        m4 += away * away * away * away
        deviation += abs(away)
    m2, m3, m4 = m2 / size, m3 / size, m4 / size
    flat = m2 == 0 or low == high
    p10, p90 = _quantile(ordered, 0.1), _quantile(ordered, 0.9)
    row[0], row[1], row[9] = p10, p90, _quantile(ordered, 0.5)
    row[2] = energy
    row[4] = _quantile(ordered, 0.75) - _quantile(ordered, 0.25)
    row[5] = 0.0 if flat else m4 / (m2 * m2)
    row[6], row[10], row[11] = high, low, high - low
    row[7], row[8] = deviation / size, mean
    row[12] = _robust_deviation(ordered, p10, p90)
    row[13] = np.sqrt(energy / size)
    row[14] = 0.0 if flat else m3 / m2**1.5
    row[17], row[18] = m2, np.sqrt(m2)


@compiled
def _robust_deviation(ordered: Values, low: float, high: float) -> float:
    """The mean absolute deviation of the values from low to high, from their own mean."""
    total, count = 0.0, 0
    for value in ordered:
        if low <= value <= high:
            total += value
            count += 1
    mean = total / count
    deviation = 0.0
    for value in ordered:
        if low <= value <= high:
            deviation += abs(value - mean)
    return deviation / count
