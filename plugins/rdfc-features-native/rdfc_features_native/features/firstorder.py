"""First-order features: of a region's values, wherever they lie.

Source: PyRadiomics 3.0.1's documentation of the class; percentiles are NumPy's (linear).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled, compiled_sums
from rdfc_features_native.features.logarithms import (
    EPSILON_BITS,
    N_LOG_N,
    entropy_of_sums,
    n_log_n,
)

NAMES = (
    *("10Percentile", "90Percentile", "Energy", "Entropy", "InterquartileRange", "Kurtosis"),
    *("Maximum", "MeanAbsoluteDeviation", "Mean", "Median", "Minimum", "Range"),
    *("RobustMeanAbsoluteDeviation", "RootMeanSquared", "Skewness", "TotalEnergy"),
    *("Uniformity", "Variance", "StandardDeviation"),
)

QUANTILES = np.array([0.1, 0.25, 0.5, 0.75, 0.9])


def firstorder_features(
    values: NDArray[Any],
    low: float,
    high: float,
    counts: NDArray[np.int64],
    shift: float,
    voxel_volume_mm3: float,
) -> NDArray[np.float64]:
    """All features in the order of `NAMES`, (19,).

    Args:
        values: The region's values, (N,).
        low: The least of them.
        high: The largest of them.
        counts: Voxels of each grey level.
        shift: Added to values for energies (``voxelArrayShift``).
        voxel_volume_mm3: For TotalEnergy.
    """
    return _features(values, low, high, counts, shift, voxel_volume_mm3, QUANTILES, N_LOG_N)


@compiled
def _features(
    values: NDArray[Any],
    low: float,
    high: float,
    counts: NDArray[np.int64],
    shift: float,
    voxel_volume_mm3: float,
    quantiles: NDArray[np.float64],
    table: NDArray[np.float64],
) -> NDArray[np.float64]:
    size = values.size
    p10, p25, p50, p75, p90 = quantiles_of(values, low, high, quantiles)
    mean, energy, m2, m3, m4, deviation = _moments(values, shift)
    flat = m2 == 0 or low == high
    logs, squares, filled = 0.0, 0.0, 0
    for count in counts:
        if count > 0:
            logs += n_log_n(float(count), table)
            squares += (count / size) ** 2
            filled += 1
    features = np.empty(19)
    features[0], features[1], features[9] = p10, p90, p50
    features[4] = p75 - p25
    features[2], features[15] = energy, energy * voxel_volume_mm3
    features[13] = np.sqrt(energy / size)
    features[3] = entropy_of_sums(logs, float(size), filled) - filled * EPSILON_BITS
    features[16] = squares
    features[6], features[10], features[11] = high, low, high - low
    features[7], features[8] = deviation, mean
    features[12] = _robust_deviation(values, p10, p90)
    features[14] = 0.0 if flat else m3 / m2**1.5
    features[5] = 0.0 if flat else m4 / m2**2
    features[17], features[18] = m2, np.sqrt(m2)
    return features


@compiled
def quantiles_of(
    values: NDArray[Any], low: float, high: float, quantiles: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Quantiles, interpolated linearly between the two nearest values; (Q,).

    The few values that matter are found by counting all into narrow buckets, and only these sorted.

    Args:
        values: In any order, (N,).
        low: The least of them.
        high: The largest of them.
        quantiles: From 0 to 1, ascending.
    """
    size = values.size
    ranks = np.empty(2 * quantiles.size, np.int64)
    for k in range(quantiles.size):
        ranks[2 * k] = int(np.floor((size - 1) * quantiles[k]))
        ranks[2 * k + 1] = min(ranks[2 * k] + 1, size - 1)
    ordered = _order_statistics(values, low, high, ranks, max(64, min(4096, size // 16)))
    found = np.empty(quantiles.size)
    for k in range(quantiles.size):
        part = (size - 1) * quantiles[k] - ranks[2 * k]
        a, b = ordered[2 * k], ordered[2 * k + 1]
        found[k] = a + (b - a) * part if part < 0.5 else b - (b - a) * (1 - part)
    return found


@compiled
def _order_statistics(
    values: NDArray[Any], low: float, high: float, ranks: NDArray[np.int64], buckets: int
) -> NDArray[np.float64]:
    """The values of the given ranks (0 is the least), (R,)."""
    found = np.full(ranks.size, low)
    if not low < high:
        return found
    scale = (buckets - 1) / (high - low)
    if not scale < np.inf:  # a range too small to divide by
        return np.sort(values.astype(np.float64))[ranks]
    places = np.empty(values.size, np.uint16)  # of each value's bucket
    for t in range(values.size):
        places[t] = np.uint16(np.int32((values[t] - low) * scale))
    counts = np.zeros(buckets + 1, np.int64)
    for place in places:
        counts[np.uint64(place) + np.uint64(1)] += 1
    for bucket in range(buckets):
        counts[bucket + 1] += counts[bucket]  # now: values before each bucket
    wanted = np.zeros(buckets, np.bool_)
    for rank in ranks:
        wanted[np.searchsorted(counts, rank, side="right") - 1] = True
    before = np.zeros(buckets, np.int64)  # values in unwanted buckets below
    kept = 0
    skipped = 0
    for bucket in range(buckets):
        before[bucket] = skipped
        if wanted[bucket]:
            kept += counts[bucket + 1] - counts[bucket]
        else:
            skipped += counts[bucket + 1] - counts[bucket]
    chosen = _choose(values, places, wanted, kept)
    chosen.sort()
    for r in range(ranks.size):
        bucket = np.searchsorted(counts, ranks[r], side="right") - 1
        found[r] = chosen[ranks[r] - before[bucket]]
    return found


@compiled
def _choose(
    values: NDArray[Any], places: NDArray[np.uint16], wanted: NDArray[np.bool_], kept: int
) -> NDArray[np.float64]:
    """The values in buckets that are wanted, (kept,)."""
    chosen = np.empty(kept + 1)
    k = np.uint64(0)
    for t in range(values.size):
        chosen[k] = values[t]
        k += np.uint64(wanted[np.uint64(places[t])])
    return chosen[:kept]


@compiled_sums
def _moments(values: NDArray[Any], shift: float) -> tuple[float, float, float, float, float, float]:
    """Mean, energy, second to fourth central moments, and mean absolute deviation."""
    size = values.size
    mean, energy = 0.0, 0.0
    for t in range(size):
        value = np.float64(values[t])
        mean += value
        energy += (value + shift) * (value + shift)
    mean /= size
    m2, m3, m4, deviation = 0.0, 0.0, 0.0, 0.0
    for t in range(size):
        away = np.float64(values[t]) - mean
        squared = away * away
        m2 += squared
        m3 += squared * away
        m4 += squared * squared
        deviation += abs(away)
    return mean, energy, m2 / size, m3 / size, m4 / size, deviation / size


@compiled_sums
def _robust_deviation(values: NDArray[Any], low: float, high: float) -> float:
    """The mean absolute deviation of the values from low to high, from their own mean."""
    total, count = 0.0, 0.0
    for t in range(values.size):
        value = np.float64(values[t])
        inside = np.float64(low <= value) * np.float64(value <= high)
        total += inside * value
        count += inside
    mean = total / count
    deviation = 0.0
    for t in range(values.size):
        value = np.float64(values[t])
        inside = np.float64(low <= value) * np.float64(value <= high)
        deviation += inside * abs(value - mean)
    return deviation / count
