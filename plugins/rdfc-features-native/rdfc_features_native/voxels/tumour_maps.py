"""The maps of a tumour, image by image, each at its place in space."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np

from rdfc_core.case import Volume
from rdfc_core.radiomics.voxel_settings import VoxelSettings
from rdfc_core.volume import Box
from rdfc_features_native.images import filtered_images
from rdfc_features_native.plan import ExtractionPlan
from rdfc_features_native.preparation import PreparedImage
from rdfc_features_native.region import Region
from rdfc_features_native.voxels.image_maps import WindowedRegion, image_maps


def tumour_maps(
    image: Volume,
    prepared: PreparedImage,
    region: Region,
    plan: ExtractionPlan,
    voxel: VoxelSettings,
    absent: Collection[str],
    threads: int,
) -> Iterator[tuple[str, Volume]]:
    """Name and map of each feature, in PyRadiomics' order; the shape classes have no maps.

    Maps cover the region's box and, as far as the image goes, the windows around it.

    Args:
        image: The tumour's, as it is measured: gives the place in space.
        prepared: What was made of it.
        region: Whose voxels are mapped.
        plan: What is measured.
        voxel: The settings of maps.
        absent: Names of images that cannot be made.
        threads: That measure at once.

    Raises:
        DataError: If an image has too many grey levels.
    """
    box = _widened(region.box, voxel.kernel_radius, prepared.mask.shape)
    inside = np.zeros([span.stop - span.start for span in box], bool)
    inside[
        tuple(
            slice(span.start - wide.start, span.stop - wide.start)
            for span, wide in zip(region.box, box, strict=True)
        )
    ] = region.mask
    seen = inside if voxel.masked_kernel else np.ones_like(inside)
    windows = WindowedRegion(inside, seen, region.spacing_mm)
    whole = Region(box, inside, region.spacing_mm)
    for part in plan.images:
        if all(name in absent for name in part.images):
            continue
        for name, filtered in filtered_images(
            part.image_type, part.images[0], part.settings, prepared, whole
        ):
            if name in absent:
                continue
            made = image_maps(filtered, windows, part.settings, voxel, plan.classes, threads)
            for feature, array in made.items():
                yield f"{name}_{feature}", _placed(array, image, prepared, box)


def _widened(box: Box, radius: int, shape: tuple[int, ...]) -> Box:
    return tuple(
        slice(max(0, span.start - radius), min(length, span.stop + radius))
        for span, length in zip(box, shape, strict=True)
    )


def _placed(array: np.ndarray, image: Volume, prepared: PreparedImage, box: Box) -> Volume:
    """An array that covers a box of the prepared image, at its place in space."""
    first = np.array(prepared.first or (0.0,) * array.ndim)  # in voxels of the image
    start_mm = first * image.spacing_mm + np.array([s.start for s in box]) * prepared.spacing_mm
    origin_mm = np.asarray(image.origin_mm) + image.direction @ start_mm
    return replace(
        image,
        array=array,
        spacing_mm=prepared.spacing_mm,
        origin_mm=tuple(float(along) for along in origin_mm),
        notes=(),
        colour=None,
    )
