"""Texture features, by the six ways of aggregating matrices over directions and slices.

Matrices and features are the engine's own; here it is said which voxels are compared, and what is
added up before features are computed and averaged after.

Source: IBSI reference manual, arXiv:1612.07003, sections 3.6 to 3.11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rdfc_features_native import matrices
from rdfc_features_native.discretise import Discretised
from rdfc_features_native.features import glcm, ngtdm
from rdfc_features_native.features.sizes import MEASURES, size_measures
from rdfc_features_native.ibsi.config import Aggregation
from rdfc_features_native.ibsi.vocabulary import names_of
from rdfc_features_native.region import Lattice, Region
from rdfc_features_native.texture import CHUNK_BYTES, count_neighbours
from rdfc_features_native.zones import find_zones, zone_distances, zone_matrix

Mask = NDArray[np.bool_]
Rows = NDArray[np.float64]

SIZES = (
    *("small", "large", "low", "high", "small_low", "small_high", "large_low", "large_high"),
    *("level_non_uniformity", "level_non_uniformity_normalized", "size_non_uniformity"),
    *("size_non_uniformity_normalized", "percentage", "level_variance", "size_variance", "entropy"),
)
"""The measures of `features.sizes` in the order of the IBSI's manual."""
COLUMNS = np.array([MEASURES.index(measure) for measure in SIZES])
PERCENTAGE = SIZES.index("percentage")

TWINS = {"SumVariance": "ClusterTendency", "Dissimilarity": "DifferenceAverage"}
"""Co-occurrence features that the IBSI lists by two names."""


@dataclass(frozen=True, eq=False)
class TexturePart:
    """Voxels that are compared with one another: a slice, or all.

    Args:
        lattice: Of the voxels.
        grid: Their codes on the flat padded grid, 0 outside.
        distances: Of each voxel to the outline, in steps across faces, (N,).
        longest: Voxels of the longest possible run.
    """

    lattice: Lattice
    grid: NDArray[Any]
    distances: NDArray[np.int64]
    longest: int


class Textures:
    """The texture families of one image's grey levels."""

    def __init__(
        self, grey: Discretised, mask: Mask, outline: Mask, aggregation: Aggregation, flat: bool
    ) -> None:
        """Lay the voxels out.

        Args:
            grey: Grey levels of the intensity mask's voxels.
            mask: The intensity mask, (Z, Y, X).
            outline: The whole morphological mask, in the same box.
            aggregation: Over directions and slices.
            flat: Whether the image is a picture, which has no neighbours across slices.
        """
        self.grey = grey
        by_slice = aggregation.startswith("2d")
        in_space = aggregation.startswith("3d") and not flat
        self.merged = aggregation.endswith("merged") and aggregation != "2.5d_direction_merged"
        distances = _distances(outline, in_space)[mask]
        self.parts = list(_parts(grey, mask, distances, by_slice, in_space))

    def glcm(self) -> Rows:
        """Co-occurrence features, symmetrical, at a distance of 1."""
        rows = [
            glcm.glcm_features(pairs, self.grey.levels, self.grey.top, True, None, False)
            for part in self.parts
            for pairs in self._pairs(part)
        ]
        means = dict(zip(glcm.NAMES, _mean(rows), strict=True))
        return np.array([means[TWINS.get(name, name)] for name in names_of("glcm")])

    def glrlm(self) -> Rows:
        """Run length features."""
        rows = []
        for part in self.parts:
            voxels = np.bincount(part.grid[part.lattice.places], minlength=len(self.grey.levels))
            runs = matrices.count_runs(
                part.grid, part.lattice.places, part.lattice.runs, voxels, part.longest
            )
            lengths = np.arange(runs.shape[2], dtype=np.float64)
            merged = _added_up(runs) if self.merged else runs
            rows.append(size_measures(merged, self.grey.levels, lengths)[:, COLUMNS])
        return _mean(rows)

    def glszm(self) -> Rows:
        """Size zone features."""
        rows = []
        for part in self.parts:
            codes, voxels = find_zones(
                part.grid, part.lattice.places, part.lattice.runs, part.lattice.hub
            )
            matrix, sizes = zone_matrix(codes, voxels, len(self.grey.levels) - 1)
            rows.append(size_measures(matrix, self.grey.levels, sizes)[:, COLUMNS])
        return _mean(rows)

    def gldzm(self) -> Rows:
        """Distance zone features."""
        rows = []
        for part in self.parts:
            lattice = part.lattice
            codes, distances = zone_distances(
                part.grid, lattice.places, lattice.runs, lattice.hub, part.distances
            )
            matrix, steps = zone_matrix(codes, distances, len(self.grey.levels) - 1)
            measured = size_measures(matrix, self.grey.levels, steps)[:, COLUMNS]
            measured[:, PERCENTAGE] = len(codes) / len(lattice.places)
            rows.append(measured)
        return _mean(rows)

    def ngtdm(self) -> Rows:
        """Tone difference features, at a distance of 1; a lone voxel does not count."""
        order = [ngtdm.NAMES.index(name) for name in names_of("ngtdm")]
        rows = []
        for part in self.parts:
            _, difference = count_neighbours(part.grid, part.lattice, self.grey, 0)
            codes = part.grid[part.lattice.places][part.lattice.others > 0]
            if len(codes):
                counts = np.bincount(codes, minlength=len(self.grey.levels))
                found = ngtdm.ngtdm_features(counts, difference, self.grey.levels)
                rows.append(found[None, order])
        return _mean(rows) if rows else np.full(len(order), np.nan)

    def ngldm(self) -> Rows:
        """Dependence features, at a distance of 1, of equal levels."""
        rows = []
        for part in self.parts:
            dependence, _ = count_neighbours(part.grid, part.lattice, self.grey, 0)
            counts = np.arange(1, dependence.shape[1] + 1, dtype=np.float64)
            measured = size_measures(dependence[None], self.grey.levels, counts)[:, COLUMNS]
            measured[:, PERCENTAGE] = 1.0  # each voxel has its neighbourhood
            shares = dependence[1:] / dependence[1:].sum()
            rows.append(np.column_stack([measured, [(shares**2).sum()]]))
        return _mean(rows)

    def _pairs(self, part: TexturePart) -> Iterator[NDArray[Any]]:
        """Co-occurrence counts: of all directions added up, or apart and in chunks."""
        steps, size = part.lattice.pairs, len(self.grey.levels)
        together = max(1, CHUNK_BYTES // (4 * size**2))
        chunks = (steps[k : k + together] for k in range(0, len(steps), together))
        counted = (
            matrices.count_pairs(part.grid, part.lattice.places, chunk, size - 1)
            for chunk in chunks
        )
        if self.merged:
            yield _added_up(np.concatenate([_added_up(pairs) for pairs in counted]))
        else:
            yield from counted


MEASURE: dict[str, Callable[[Textures], Rows]] = {
    "glcm": Textures.glcm,
    "glrlm": Textures.glrlm,
    "glszm": Textures.glszm,
    "gldzm": Textures.gldzm,
    "ngtdm": Textures.ngtdm,
    "ngldm": Textures.ngldm,
}


def _parts(
    grey: Discretised, mask: Mask, distances: NDArray[np.int64], by_slice: bool, in_space: bool
) -> Iterator[TexturePart]:
    """The slices that hold voxels, or all in one."""
    # At least two voxels along each axis: a direction that leaves a thin mask has runs, too.
    mask = np.pad(mask, [(0, max(0, 2 - n)) for n in mask.shape])
    longest = max(mask.shape)
    if not by_slice:
        lattice = Region((), mask, ()).lattice((1,), None if in_space else 0)
        yield _part(lattice, grey.codes, distances, longest)
        return
    stop = 0
    for plane in mask:
        start, stop = stop, stop + int(plane.sum())
        if stop > start:
            lattice = Region((), plane[None], ()).lattice((1,), 0)
            yield _part(lattice, grey.codes[start:stop], distances[start:stop], longest)


def _part(
    lattice: Lattice, codes: NDArray[Any], distances: NDArray[np.int64], longest: int
) -> TexturePart:
    grid = np.zeros(lattice.size, codes.dtype)
    grid[lattice.places] = codes
    return TexturePart(lattice, grid, distances, longest)


def _distances(outline: Mask, in_space: bool) -> NDArray[np.int64]:
    """Steps across faces from each voxel to the nearest one outside; 1 at the border."""
    padded = np.pad(outline, 1)
    if in_space:
        found = ndimage.distance_transform_cdt(padded, metric="taxicab")
    else:
        found = np.stack(
            [ndimage.distance_transform_cdt(plane, metric="taxicab") for plane in padded]
        )
    return np.asarray(found[1:-1, 1:-1, 1:-1], np.int64)


def _added_up(counts: NDArray[Any]) -> NDArray[Any]:
    """Matrices of several directions as one, in their own type: features are compiled for it."""
    return np.asarray(counts.sum(axis=0, keepdims=True, dtype=counts.dtype))


def _mean(rows: list[Rows]) -> Rows:
    """Of each feature, over the slices and directions where it is defined."""
    table = np.concatenate(rows)
    defined = ~np.isnan(table)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(defined, table, 0).sum(axis=0) / defined.sum(axis=0))
