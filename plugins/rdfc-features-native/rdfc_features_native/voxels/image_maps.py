"""The maps of one image: its grey levels, and every class that is wanted on every window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import DataError
from rdfc_core.radiomics.parameters import RadiomicsSettings
from rdfc_core.radiomics.voxel_settings import VoxelSettings
from rdfc_features_native.directions import pair_weights, run_weights
from rdfc_features_native.discretise import Discretised, discretise
from rdfc_features_native.features.logarithms import N_LOG_N
from rdfc_features_native.texture import ORDERS
from rdfc_features_native.voxels.around import gldm_maps, ngtdm_maps
from rdfc_features_native.voxels.firstorder import firstorder_maps
from rdfc_features_native.voxels.glcm import MCC, glcm_maps
from rdfc_features_native.voxels.glrlm import glrlm_maps
from rdfc_features_native.voxels.glszm import glszm_maps
from rdfc_features_native.voxels.window import Window

Values = NDArray[np.float64]
Places = NDArray[np.int64]
Ints = NDArray[np.int32]

MOST_LEVELS = 65535
"""Grey levels of an image: windows are read from a grid of 16 bits."""
PIECES = 8
"""Of the voxels, for each thread: windows at the border are smaller."""


@dataclass(frozen=True, eq=False)
class WindowedRegion:
    """The voxels that maps are made of, and the part of the image that their windows see.

    Args:
        voxels: Whose windows are measured, in the box that holds all windows.
        seen: What windows may see of the box: the region, or everything.
        spacing_mm: Along the box's axes.
    """

    voxels: NDArray[np.bool_]
    seen: NDArray[np.bool_]
    spacing_mm: tuple[float, ...]

    @property
    def voxel_volume_mm3(self) -> float:
        """Of one voxel; its area in mm² for pictures."""
        return float(np.multiply.reduce(self.spacing_mm[::-1]))


class ImageMaps:
    """One image, original or filtered, and the features of every window."""

    def __init__(
        self,
        filtered: NDArray[Any],
        region: WindowedRegion,
        settings: RadiomicsSettings,
        voxel: VoxelSettings,
        threads: int,
    ) -> None:
        """Discretise what windows see, with the grey levels of all of it.

        Args:
            filtered: The image in the region's box.
            region: The windows.
            settings: Those of the image type.
            voxel: Those of maps.
            threads: That measure at once.

        Raises:
            DataError: If there are more than `MOST_LEVELS` grey levels.
        """
        self.filtered = filtered
        self.region = region
        self.settings = settings
        self.threads = threads
        fixed = settings.force_2d and filtered.ndim == 3
        self.window = Window(
            voxel.kernel_radius,
            filtered.shape,
            (settings.force_2d_dimension or 0) if fixed else None,
        )
        self.grey = self._discretised(filtered[region.seen])
        self.grid = self._codes(self.grey)

    def _discretised(self, values: NDArray[Any]) -> Discretised:
        own = self.settings
        grey = discretise(values, values.min(), values.max(), own.bin_width, own.bin_count)
        if grey.top > MOST_LEVELS:
            raise DataError(
                f"binWidth {own.bin_width:g} makes {grey.top:,} grey levels of the image, and maps "
                f"take up to {MOST_LEVELS:,}. Set binWidth to about "
                f"{float(values.max() - values.min()) / 32:.2g}."
            )
        return grey

    def _codes(self, grey: Discretised) -> NDArray[np.uint16]:
        codes = np.zeros(self.filtered.shape, np.uint16)
        codes[self.region.seen] = grey.codes
        return self.window.padded(codes)

    @cached_property
    def _places(self) -> Places:
        return np.flatnonzero(self.window.padded(self.region.voxels))

    def firstorder(self, _wanted: tuple[str, ...]) -> Values:
        """First-order features; PyRadiomics takes their grey levels in double precision."""
        grid, grey = self.grid, self.grey
        if self.filtered.dtype != np.float64:
            grey = self._discretised(self.filtered[self.region.seen].astype(np.float64))
            grid = self._codes(grey)
        values = self.window.padded(self.filtered.astype(np.float64))
        shift, volume_mm3 = self.settings.voxel_array_shift, self.region.voxel_volume_mm3
        count = len(grey.levels) - 1
        return self._in_pieces(
            lambda places: firstorder_maps(
                grid,
                values,
                places,
                self.window.offsets,
                count,
                float(shift),
                volume_mm3,
                N_LOG_N,
            )
        )

    def glcm(self, wanted: tuple[str, ...]) -> Values:
        """Co-occurrence features."""
        own = self.settings
        steps = self.window.steps(own.distances, both_ways=False)
        pairs, starts = self.window.pairs(steps)
        weights = pair_weights(steps, self.region.spacing_mm, own.weighting_norm)
        found = self._in_pieces(
            lambda places: glcm_maps(
                self.grid,
                places,
                self.window.offsets,
                self.grey.levels,
                pairs,
                starts,
                self.grey.top,
                own.symmetrical_glcm,
                np.zeros(0) if weights is None else weights,
                "MCC" in wanted,
                N_LOG_N,
            )
        )
        if np.count_nonzero(self.grey.counts) < 2:
            found[MCC] = 1.0  # by PyRadiomics' definition, pairs or none
        return found

    def glrlm(self, _wanted: tuple[str, ...]) -> Values:
        """Run length features."""
        steps = self.window.steps((1,), both_ways=False)
        lines, starts = self.window.lines(steps)
        weights = run_weights(steps, self.region.spacing_mm, self.settings.weighting_norm)
        return self._in_pieces(
            lambda places: glrlm_maps(
                self.grid,
                places,
                self.window.offsets,
                self.grey.levels,
                lines,
                starts,
                2 * self.window.radius + 1,
                np.zeros(0) if weights is None else weights,
                N_LOG_N,
            )
        )

    def glszm(self, _wanted: tuple[str, ...]) -> Values:
        """Size zone features."""
        pairs, _ = self.window.pairs(self.window.steps((1,), both_ways=False))
        return self._in_pieces(
            lambda places: glszm_maps(
                self.grid, places, self.window.offsets, self.grey.levels, pairs, N_LOG_N
            )
        )

    def gldm(self, _wanted: tuple[str, ...]) -> Values:
        """Dependence features."""
        pairs, both_ways, most = self._neighbours()
        return self._in_pieces(
            lambda places: gldm_maps(
                self.grid,
                places,
                self.window.offsets,
                self.grey.levels,
                pairs,
                both_ways,
                most,
                float(self.settings.gldm_a),
                N_LOG_N,
            )
        )

    def ngtdm(self, _wanted: tuple[str, ...]) -> Values:
        """Tone difference features."""
        pairs, both_ways, _ = self._neighbours()
        return self._in_pieces(
            lambda places: ngtdm_maps(
                self.grid, places, self.window.offsets, self.grey.levels, pairs, both_ways
            )
        )

    def _neighbours(self) -> tuple[Ints, bool, int]:
        """Pairs of places, whether each is the other's neighbour, and the most of one place."""
        distances = self.settings.distances
        around = self.window.steps(distances, both_ways=True)
        # A distance named twice counts twice, by PyRadiomics' rule not alike for both ways.
        both_ways = len(set(distances)) == len(distances)
        steps = self.window.steps(distances, both_ways=False) if both_ways else around
        return self.window.pairs(steps)[0], both_ways, len(around)

    def _in_pieces(self, measure: Callable[[Places], Values]) -> Values:
        """All voxels, (F, N), in several threads where that is asked for."""
        if self.threads < 2:
            return measure(self._places)
        pieces = np.array_split(self._places, self.threads * PIECES)
        with ThreadPoolExecutor(self.threads) as pool:
            return np.concatenate(list(pool.map(measure, pieces)), axis=1)


CLASSES: dict[str, Callable[[ImageMaps, tuple[str, ...]], Values]] = {
    "firstorder": ImageMaps.firstorder,
    "glcm": ImageMaps.glcm,
    "gldm": ImageMaps.gldm,
    "glrlm": ImageMaps.glrlm,
    "glszm": ImageMaps.glszm,
    "ngtdm": ImageMaps.ngtdm,
}


def image_maps(
    filtered: NDArray[Any],
    region: WindowedRegion,
    settings: RadiomicsSettings,
    voxel: VoxelSettings,
    classes: Mapping[str, tuple[str, ...]],
    threads: int,
) -> dict[str, Values]:
    """``<class>_<feature>`` → the map in the region's box; NaN where it is not defined.

    Args:
        filtered: The image in the region's box.
        region: The windows.
        settings: Those of the image type.
        voxel: Those of maps.
        classes: Class → names of its features that are wanted.
        threads: That measure at once.

    Raises:
        DataError: If there are too many grey levels.
    """
    sound = bool(np.isfinite(filtered[region.seen]).all())
    image = ImageMaps(filtered, region, settings, voxel, threads) if sound else None
    found = {}
    for kind, wanted in classes.items():
        rows = CLASSES[kind](image, wanted) if image else None
        for feature in wanted:
            made = np.full(region.voxels.shape, voxel.init_value, np.float64)
            row = np.nan if rows is None else rows[ORDERS[kind].index(feature)]
            made[region.voxels] = row
            found[f"{kind}_{feature}"] = made
    return found
