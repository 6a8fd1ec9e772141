"""The region of interest: its box, its voxels, and the padded grid on which they are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rdfc_core.volume import Box, bounding_box
from rdfc_features_native.directions import Offsets, directions
from rdfc_features_native.matrices import sum_around


def box_of(mask: NDArray[np.bool_]) -> Box | None:
    """The smallest box around the mask; None if it is empty."""
    return bounding_box(mask) if mask.any() else None


@dataclass(frozen=True, eq=False)
class Lattice:
    """A region's voxels on a padded grid, where every neighbour within reach exists.

    Args:
        size: Number of voxels of the padded grid.
        places: Flat positions of the region's voxels, ascending, (N,).
        pairs: Flat steps to neighbours, one of each opposite two, (D,), and as offsets.
        runs: The same at distance 1.
        around: Flat steps to all neighbours, both ways, (2 D,).
    """

    size: int
    places: NDArray[np.int64]
    pairs: NDArray[np.int64]
    pair_offsets: Offsets
    runs: NDArray[np.int64]
    run_offsets: Offsets
    around: NDArray[np.int64]

    @cached_property
    def hub(self) -> int:
        """The run's step along the first axis that has steps; -1 if there are no steps.

        The neighbour that lies this step back touches all others that come before a voxel.
        """
        moving = np.flatnonzero(self.run_offsets.any(axis=0))
        if not len(moving):
            return -1
        lone = np.abs(self.run_offsets).sum(axis=1) == self.run_offsets[:, moving[0]]
        return int(np.flatnonzero(lone)[0])

    @cached_property
    def others(self) -> NDArray[np.uint16]:
        """How many neighbours each voxel has, (N,)."""
        ones = np.zeros(self.size, np.uint8)
        ones[self.places] = 1
        return sum_around(ones, self.places, self.around)[1]


@dataclass(frozen=True, eq=False)
class Region:
    """The voxels that are measured.

    Args:
        box: Where the region lies in the image.
        mask: The box's part of the mask, in C order, True inside.
        spacing_mm: Along the array's axes.
    """

    box: Box
    mask: NDArray[np.bool_]
    spacing_mm: tuple[float, ...]
    _lattices: dict[tuple[tuple[int, ...], int | None], Lattice] = field(default_factory=dict)

    @cached_property
    def inside(self) -> NDArray[np.int64]:
        """Flat positions of the region's voxels in its box, (N,)."""
        return np.flatnonzero(self.mask)

    @property
    def voxel_volume_mm3(self) -> float:
        """Of one voxel; its area in mm² for pictures."""
        return float(np.multiply.reduce(self.spacing_mm[::-1]))

    def values_of(self, filtered: NDArray[np.generic]) -> NDArray[np.generic]:
        """The region's values, (N,), of an image that covers the box."""
        return np.asarray(filtered.reshape(-1)[self.inside])

    def lattice(self, distances: Sequence[int], fixed_axis: int | None) -> Lattice:
        """The padded grid for the distances, without neighbours across the fixed axis."""
        key = (tuple(distances), fixed_axis)
        if key not in self._lattices:
            self._lattices[key] = _lattice(self.mask, *key)
        return self._lattices[key]

    def aligned(self, offset: Sequence[int]) -> bool:
        """Whether any two voxels lie on one line along the offset, with or without a gap."""
        coordinates = np.argwhere(self.mask)
        step = np.asarray(offset)
        axis = int(np.flatnonzero(step)[0])
        # Where each voxel's line meets the plane of coordinate 0.
        feet = coordinates - coordinates[:, [axis]] * (step * step[axis])
        return len(np.unique(feet, axis=0)) < len(feet)


def _lattice(
    mask: NDArray[np.bool_], distances: tuple[int, ...], fixed_axis: int | None
) -> Lattice:
    extents = mask.shape
    pairs = directions(extents, distances, fixed_axis, both_ways=False)
    runs = directions(extents, (1,), fixed_axis, both_ways=False)
    around = directions(extents, distances, fixed_axis, both_ways=True)
    steps = np.concatenate([pairs, runs, around])
    reach = np.abs(steps).max(axis=0, initial=0)
    padded = np.pad(mask, [(int(r), int(r)) for r in reach])
    strides = np.array([int(np.prod(padded.shape[axis + 1 :])) for axis in range(mask.ndim)])
    return Lattice(
        size=padded.size,
        places=np.flatnonzero(padded),
        pairs=pairs @ strides,
        pair_offsets=pairs,
        runs=runs @ strides,
        run_offsets=runs,
        around=around @ strides,
    )
