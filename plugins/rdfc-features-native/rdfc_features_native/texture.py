"""All features of one image: its region's values, discretised once, in every class wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.radiomics.parameters import RadiomicsSettings
from rdfc_features_native import matrices
from rdfc_features_native.compiling import compiled
from rdfc_features_native.directions import pair_weights, run_weights
from rdfc_features_native.discretise import Discretised, discretise
from rdfc_features_native.features import firstorder, glcm, gldm, glrlm, glszm, ngtdm
from rdfc_features_native.features.sizes import MEASURES, size_measures
from rdfc_features_native.region import Lattice, Region
from rdfc_features_native.zones import find_zones, zone_matrix

Values = NDArray[np.float64]

CHUNK_BYTES = 2**28
"""Directions are counted together as far as their matrices fit into this; one by one beyond."""


class Image:
    """One image of a region, original or filtered, and its features.

    Matrices are counted when a class first needs them, and classes share them.
    """

    def __init__(
        self, values: NDArray[Any], low: Any, high: Any, region: Region, settings: RadiomicsSettings
    ) -> None:
        """Discretise the region's values, (N,), from ``low`` to ``high``."""
        self.values = values
        self.region = region
        self.settings = settings
        self.low, self.high = low, high
        self.grey = discretise(values, low, high, settings.bin_width, settings.bin_count)
        fixed = settings.force_2d and region.mask.ndim == 3
        self.lattice = region.lattice(
            settings.distances, (settings.force_2d_dimension or 0) if fixed else None
        )

    def firstorder(self, wanted: tuple[str, ...]) -> Values:
        """First-order features, in the order of their names."""
        counts = self.grey.counts
        found = firstorder.firstorder_features(
            self.values,
            float(self.low),
            float(self.high),
            counts,
            self.settings.voxel_array_shift,
            self.region.voxel_volume_mm3,
        )
        return found[_columns("firstorder", wanted)]

    def glcm(self, wanted: tuple[str, ...]) -> Values:
        """Co-occurrence features, averaged over the directions that have pairs."""
        settings = self.settings
        weights = pair_weights(
            self.lattice.pair_offsets, self.region.spacing_mm, settings.weighting_norm
        )
        arguments = (self.grey.levels, self.grey.top, settings.symmetrical_glcm)
        with_mcc = "MCC" in wanted
        if weights is None:
            found = [
                glcm.glcm_features(pairs, *arguments, None, with_mcc)
                for pairs, _ in self._pair_chunks()
            ]
            rows = np.concatenate(found) if found else np.full((1, len(glcm.NAMES)), np.nan)
        else:
            size = len(self.grey.levels)
            total = np.zeros((1, size, size))
            for pairs, chunk in self._pair_chunks():
                total += np.tensordot(weights[chunk], pairs, axes=1)
            rows = glcm.glcm_features(total, *arguments, np.ones(1), with_mcc)
        means = _mean(rows)
        if np.count_nonzero(self.grey.counts) < 2:
            means[glcm.NAMES.index("MCC")] = 1.0  # by PyRadiomics' definition, pairs or none
        return means[_columns("glcm", wanted)]

    def glrlm(self, wanted: tuple[str, ...]) -> Values:
        """Run length features, averaged over the directions that have neighbours."""
        offsets = self.lattice.run_offsets
        runs = matrices.count_runs(
            self._grid,
            self.lattice.places,
            self.lattice.runs,
            self.grey.counts,
            max(self.region.mask.shape),
        )
        aligned = matrices.holds_long(runs)
        for way in np.flatnonzero(~aligned):
            # Without one longer run: PyRadiomics drops directions along which the mask is flat.
            aligned[way] = self.region.aligned(offsets[way])
        weights = run_weights(offsets, self.region.spacing_mm, self.settings.weighting_norm)
        if weights is None:
            # A lone direction stays, with no runs: nothing is defined then.
            counted: NDArray[Any] = runs if aligned.all() or len(runs) == 1 else runs[aligned]
            if not aligned.any():
                counted = np.zeros_like(runs[:1])
        else:
            counted = np.tensordot(weights * aligned, runs, axes=1)[None]
        lengths = np.arange(runs.shape[2], dtype=np.float64)
        return _mean(size_measures(counted, self.grey.levels, lengths))[_columns("glrlm", wanted)]

    def glszm(self, wanted: tuple[str, ...]) -> Values:
        """Size zone features."""
        codes, voxels = find_zones(
            self._grid, self.lattice.places, self.lattice.runs, self.lattice.hub
        )
        matrix, sizes = zone_matrix(codes, voxels, len(self.grey.levels) - 1)
        measured = size_measures(matrix, self.grey.levels, sizes)
        return np.asarray(measured[0, _columns("glszm", wanted)])

    def gldm(self, wanted: tuple[str, ...]) -> Values:
        """Dependence features."""
        dependence, _ = self._around
        sizes = np.arange(1, dependence.shape[1] + 1, dtype=np.float64)
        measured = size_measures(dependence[None], self.grey.levels, sizes)
        return np.asarray(measured[0, _columns("gldm", wanted)])

    def ngtdm(self, wanted: tuple[str, ...]) -> Values:
        """Tone difference features."""
        _, difference = self._around
        found = ngtdm.ngtdm_features(self.grey.counts, difference, self.grey.levels)
        return found[_columns("ngtdm", wanted)]

    @cached_property
    def _grid(self) -> NDArray[Any]:
        grid = np.zeros(self.lattice.size, self.grey.codes.dtype)
        grid[self.lattice.places] = self.grey.codes
        return grid

    def _pair_chunks(self) -> Iterator[tuple[NDArray[Any], slice]]:
        """Co-occurrence counts of as many directions at once as fit into memory, and which."""
        steps = self.lattice.pairs
        together = max(1, CHUNK_BYTES // (4 * len(self.grey.levels) ** 2))
        for start in range(0, len(steps), together):
            chunk = slice(start, start + together)
            count = len(self.grey.levels) - 1
            yield (
                matrices.count_pairs(self._grid, self.lattice.places, steps[chunk], count),
                chunk,
            )

    @cached_property
    def _around(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Dependence and tone differences."""
        return count_neighbours(self._grid, self.lattice, self.grey, self.settings.gldm_a)


def count_neighbours(
    grid: NDArray[Any], lattice: Lattice, grey: Discretised, alpha: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Dependence and tone differences, as `matrices.count_around` gives them.

    Args:
        grid: Codes on the flat padded grid, 0 outside.
        lattice: Of the voxels.
        grey: What the codes mean.
        alpha: The largest difference of grey levels that are dependent.
    """
    ways = len(lattice.around)
    if alpha > 0 or not grey.direct or ways * grey.top > matrices.MAX_TOTAL:
        return matrices.count_around_by_level(
            grid, lattice.places, lattice.around, grey.levels, alpha
        )
    equal, total = matrices.sum_around(grid, lattice.places, lattice.around)
    codes = grid[lattice.places]
    return matrices.count_around(codes, equal, total, lattice.others, grey.top, ways)


CLASSES: dict[str, Callable[[Image, tuple[str, ...]], Values]] = {
    "firstorder": Image.firstorder,
    "glcm": Image.glcm,
    "gldm": Image.gldm,
    "glrlm": Image.glrlm,
    "glszm": Image.glszm,
    "ngtdm": Image.ngtdm,
}
"""The classes that are measured on each image; the shape classes need the mask alone."""


ORDERS: dict[str, tuple[str, ...]] = {
    "firstorder": firstorder.NAMES,
    "glcm": glcm.NAMES,
    "gldm": tuple(gldm.NAMES.get(measure, "") for measure in MEASURES),
    "glrlm": tuple(glrlm.NAMES.get(measure, "") for measure in MEASURES),
    "glszm": tuple(glszm.NAMES.get(measure, "") for measure in MEASURES),
    "ngtdm": ngtdm.NAMES,
}


def image_features(
    values: NDArray[Any],
    region: Region,
    settings: RadiomicsSettings,
    classes: Mapping[str, tuple[str, ...]],
) -> Values:
    """The features of one image, class after class, (F,); NaN where one is not defined.

    Args:
        values: Of the region's voxels, (N,).
        region: The voxels.
        settings: Those of the image type.
        classes: Class → names of its features that are wanted.
    """
    low, high = values.min(), values.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        return np.full(sum(map(len, classes.values())), np.nan)
    image = Image(values, low, high, region, settings)
    return np.concatenate([CLASSES[name](image, wanted) for name, wanted in classes.items()])


@compiled
def _mean(rows: NDArray[np.float64]) -> Values:
    """Of each column over the rows where it is defined; NaN where it is nowhere."""
    means = np.empty(rows.shape[1])
    for column in range(rows.shape[1]):
        total, defined = 0.0, 0
        for row in range(rows.shape[0]):
            if not np.isnan(rows[row, column]):
                total += rows[row, column]
                defined += 1
        means[column] = total / defined if defined else np.nan
    return means


@cache
def _columns(kind: str, wanted: tuple[str, ...]) -> NDArray[np.intp]:
    """Where the features wanted of a class stand among all that it computes."""
    names = ORDERS[kind]
    return np.array([names.index(name) for name in wanted], np.intp)
