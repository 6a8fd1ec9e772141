"""The window around a voxel: its places, and which of them are compared with each other.

Windows are cubes (squares where textures are two-dimensional) that end at the image and, if kernels
are masked, at the region. Their places are the same for every voxel on a padded grid with 0
outside, so that pairs and lines of places are listed once and walked for every voxel.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.directions import Offsets, directions

Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Window:
    """The places of a window, W in number, in C order.

    Args:
        radius: In voxels.
        extents: Of the image that windows lie in, along its axes.
        fixed_axis: The axis along which a window is one voxel thick, or None.
    """

    radius: int
    extents: tuple[int, ...]
    fixed_axis: int | None

    @cached_property
    def coordinates(self) -> Offsets:
        """Of the places, from the middle, (W, axes)."""
        along = [
            range(1) if axis == self.fixed_axis else range(-self.radius, self.radius + 1)
            for axis in range(len(self.extents))
        ]
        return np.array(list(itertools.product(*along)), np.int64).reshape(-1, len(self.extents))

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """Flat steps from the middle to the places on the padded grid, (W,)."""
        shape = [n + 2 * self.radius for n in self.extents]
        strides = [int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape))]
        return self.coordinates @ np.array(strides, np.int64)

    def padded(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array on the grid that `offsets` is meant for, flat, 0 around it."""
        return np.pad(array, self.radius).reshape(-1)

    def steps(self, distances: Sequence[int], both_ways: bool) -> Offsets:
        """Steps to neighbours at the distances, (D, axes)."""
        return directions(self.extents, distances, self.fixed_axis, both_ways)

    def pairs(self, steps: Offsets) -> tuple[Ints, Ints]:
        """Pairs of places that are one step apart.

        Args:
            steps: (D, axes).

        Returns:
            First and second place of each pair, (P, 2), step after step; and where the pairs of
            each step begin, and the last ones end, (D + 1,).
        """
        place_of = {tuple(at): place for place, at in enumerate(self.coordinates.tolist())}
        found: list[tuple[int, int]] = []
        starts = [0]
        for step in steps.tolist():
            for at, place in place_of.items():
                other = place_of.get(tuple(a + b for a, b in zip(at, step, strict=True)))
                if other is not None:
                    found.append((place, other))
            starts.append(len(found))
        return np.array(found, np.int32).reshape(-1, 2), np.array(starts, np.int32)

    def lines(self, steps: Offsets) -> tuple[Ints, Ints]:
        """The lines of places along each step.

        Args:
            steps: (D, axes).

        Returns:
            Places along the lines, each line ended by −1, step after step; and where the lines of
            each step begin, and the last ones end, (D + 1,).
        """
        places, starts = [], [0]
        for step in steps:
            pairs, _ = self.pairs(step[None])
            after = dict(pairs.tolist())
            for place in sorted(set(range(len(self.coordinates))) - set(after.values())):
                at: int | None = place
                while at is not None:
                    places.append(at)
                    at = after.get(at)
                places.append(-1)
            starts.append(len(places))
        return np.array(places, np.int32), np.array(starts, np.int32)


@compiled
def look(
    grid: NDArray[np.uint16],
    place: int,
    offsets: NDArray[np.int64],
    rank_of: NDArray[np.int32],
    ranks: NDArray[np.int32],
    codes: NDArray[np.int32],
) -> int:
    """Number the grey levels of a window in the order in which they are met.

    Args:
        grid: Codes on the flat padded grid, 0 outside.
        place: Of the window's middle.
        offsets: To the window's places, (W,).
        rank_of: −1 for every code, and so again afterwards.
        ranks: Of each place, to be filled; −1 outside, (W,).
        codes: Of each rank, to be filled, (W,).

    Returns:
        How many grey levels the window has.
    """
    count = 0
    for k in range(offsets.size):
        code = np.int32(grid[place + offsets[k]])
        if code == 0:
            ranks[k] = -1
            continue
        rank = rank_of[code]
        if rank < 0:
            rank = np.int32(count)
            rank_of[code] = rank
            codes[count] = code
            count += 1
        ranks[k] = rank
    for rank in range(count):
        rank_of[codes[rank]] = -1
    return count
