"""Grey values become grey levels, by bins of one width or by a number of bins.

Source: PyRadiomics' documentation of ``binWidth`` and ``binCount``: bins of one width have their
edges at multiples of the width, the lowest level is 1, and edges belong to the bin above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled

DIRECT_LEVELS = 1024
"""Up to so many levels codes are the levels themselves; above, only levels that occur get one."""


@dataclass(frozen=True, eq=False)
class Discretised:
    """A region's grey levels.

    Args:
        codes: Of each voxel, 1 to C, (N,), in the smallest unsigned type.
        levels: The grey level that each code stands for, (C + 1,); code 0 is outside the region.
        counts: Voxels of each code, (C + 1,).
        top: The highest grey level.
    """

    codes: NDArray[Any]
    levels: NDArray[np.float64]
    counts: NDArray[np.int64]
    top: int

    @property
    def direct(self) -> bool:
        """Whether codes are grey levels."""
        return len(self.levels) == self.top + 1


def bin_edges(low: Any, high: Any, width: float, count: int | None) -> NDArray[Any]:
    """The lower edges of all bins, and the upper one of the last.

    Args:
        low: The least value, as a NumPy scalar of the image's type: LoG and gradient are float32,
            and their edges are computed as such.
        high: The largest value.
        width: Of a bin.
        count: Number of bins between the two values, in place of a width.
    """
    if count is not None:
        edges = np.histogram_bin_edges(np.array([low, high]), count)
        edges[-1] += 1  # the largest value belongs to the last bin
        return edges
    return np.arange(low - low % width, high + 2 * width, width)


def discretise(
    values: NDArray[Any], low: Any, high: Any, width: float, count: int | None
) -> Discretised:
    """Grey levels of a region's values, (N,); for the other arguments see `bin_edges`."""
    edges = np.asarray(bin_edges(low, high, width, count), np.float64)
    codes = np.empty(len(values), smallest_type(len(edges)))
    counts = np.zeros(len(edges) + 1, np.int64)
    _assign(values, edges, codes, counts)
    return discretised(codes, counts)


def discretised(codes: NDArray[Any], counts: NDArray[np.int64]) -> Discretised:
    """Grey levels of voxels, (N,), from 1, and how many voxels each has; counts[0] is 0."""
    top = int(np.flatnonzero(counts)[-1])
    if top <= DIRECT_LEVELS:
        return Discretised(codes, np.arange(top + 1.0), counts[: top + 1], top)
    occurring = np.flatnonzero(counts)
    code_of = np.zeros(top + 1, smallest_type(len(occurring)))
    code_of[occurring] = np.arange(1, len(occurring) + 1)
    levels = np.concatenate([[0.0], occurring])
    return Discretised(code_of[codes], levels, np.concatenate([[0], counts[occurring]]), top)


def smallest_type(largest: int) -> type[np.unsignedinteger[Any]]:
    """The unsigned type that holds the number."""
    return np.uint8 if largest < 256 else np.uint16 if largest < 65536 else np.uint32


@compiled
def _assign(
    values: NDArray[Any],
    edges: NDArray[np.float64],
    levels: NDArray[Any],
    counts: NDArray[np.int64],
) -> None:
    """The number of edges at or below each value: a guess by division, put right by comparing."""
    last = edges.size - 1
    low = edges[0]
    per_bin = 1.0 / (edges[1] - edges[0]) if last > 0 else 1.0
    for t in range(values.size):
        value = np.float64(values[t])
        k = int((value - low) * per_bin)
        k = max(0, min(k, last))
        while k > 0 and value < edges[k]:
            k -= 1
        while k < last and value >= edges[k + 1]:
            k += 1
        levels[t] = k + 1
        counts[k + 1] += 1
