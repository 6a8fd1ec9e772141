"""Where frames of a SEG lie: on the slices of an image, on a picture, or on a grid of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core import DataError, Volume
from rdfc_reader_dicom.geometry import Plane, Vector, first_turned, to_indices
from rdfc_reader_dicom.stack import SAME_PLACE_MM
from rdfc_reader_dicom.volume import DicomVolume

if TYPE_CHECKING:
    from rdfc_reader_dicom.seg import Frames

Values = NDArray[Any]

NEAR_VOXELS = 0.1
"""How far, in voxels, a frame may lie from its place in the image, as any mask's origin."""
SAME_AXES = 1e-3
SAME_SPACING = 1e-3
"""Relative."""


def on_slices(path: Path, planes: Sequence[Plane], values: Values, image: Volume) -> Volume | None:
    """The frames in the slices of an image that they lie on; None if they lie on another grid.

    Frames of empty slices may be missing, and frames may show a part of their slice.

    Args:
        path: Of the SEG.
        planes: Where the frames lie.
        values: Of the frames, (F, H, W).
        image: (Z, Y, X).

    Raises:
        DataError: If a frame that is not empty leaves the image, or segments overlap.
    """
    first = planes[0]
    axes = image.direction[:, 1], image.direction[:, 2]
    if first_turned(planes) is not None or any(
        np.abs(one - other).max() > SAME_AXES
        for one, other in zip((first.down, first.right), axes, strict=True)
    ):
        return None
    if not np.allclose(first.spacing_mm, image.spacing_mm[1:], rtol=SAME_SPACING, atol=0):
        return None
    at = to_indices(np.array([plane.position for plane in planes]), image)
    before = image.source.planes_mm if isinstance(image, DicomVolume) else ()
    if before:
        at[:, 0] = _among(at[:, 0] * image.spacing_mm[0], before)
    corners = np.rint(at).astype(int)
    if np.abs(at - corners).max() > NEAR_VOXELS:
        return None
    count = len(before) or image.array.shape[0]
    mask = np.zeros((count, *image.array.shape[1:]), np.uint16)
    for corner, frame in zip(corners, values, strict=True):
        _paste(path, mask, frame, corner)
    if before:
        targets = np.arange(image.array.shape[0]) * image.spacing_mm[0]
        mask = mask[np.abs(targets[:, None] - np.array(before)).argmin(axis=1)]
    return Volume(_small(mask), image.spacing_mm, image.origin_mm, image.direction)


def _among(places_mm: Vector, before: Sequence[float]) -> Vector:
    """Places of frames among the slices as they were before interpolation; -1 for no slice."""
    slices = np.array(before)
    apart = np.abs(places_mm[:, None] - slices)
    nearest = apart.argmin(axis=1)
    near = apart.min(axis=1) <= NEAR_VOXELS * float(np.diff(slices).min())
    return np.where(near, nearest, -1.0)


def _paste(path: Path, mask: Values, frame: Values, corner: NDArray[np.int64]) -> None:
    """Write a frame into its slice, whose first sample is at the corner."""
    rows, columns = np.nonzero(frame)
    if not len(rows):
        return
    plane, down, right = (int(place) for place in corner)
    ends = (
        (plane, plane),
        (int(rows.min()) + down, int(rows.max()) + down),
        (int(columns.min()) + right, int(columns.max()) + right),
    )
    for (low, high), size in zip(ends, mask.shape, strict=True):
        if low < 0 or high >= size:
            where = " x ".join(str(place) for place in (plane, ends[1][0], ends[2][0]))
            raise DataError(
                f"{path} has an outline outside the image (at voxel {where} of "
                f"{' x '.join(map(str, mask.shape))}). Name the series that it was drawn on."
            )
    slice_ = mask[plane]
    there = slice_[rows + down, columns + right]
    new = frame[rows, columns]
    if ((there != 0) & (there != new)).any():
        raise DataError(f"{path} has segments that overlap. Name one: {path.name}#segment=NUMBER.")
    slice_[rows + down, columns + right] = new


def on_own_grid(
    path: Path,
    planes: Sequence[Plane],
    values: Values,
    max_voxels: int,
    image: Volume | None = None,
) -> Volume:
    """The frames on a grid of their own, whose axes follow those of the image where they can.

    Args:
        path: Of the SEG.
        planes: Where the frames lie.
        values: Of the frames, (F, H, W).
        max_voxels: Most voxels of the mask.
        image: That the mask is for; the case decides whether a mask on another grid is taken.

    Raises:
        DataError: If frames do not lie in parallel planes at equal distances.
    """
    first = planes[0]
    if first_turned(planes) is not None:
        raise DataError(f"{path} has frames of two orientations. Export one of them.")
    along = np.array([plane.position @ first.normal for plane in planes])
    distances = np.diff(np.unique(np.round(along, 4)))
    distances = distances[distances > SAME_PLACE_MM]
    spacing = first.thickness_mm or (float(distances.min()) if len(distances) else 1.0)
    if len(distances) and distances.min() < (1 - NEAR_VOXELS) * spacing:
        spacing = float(distances.min())  # slices may be thicker than they are apart
    at = (along - along.min()) / spacing
    if np.abs(at - np.rint(at)).max() > NEAR_VOXELS:
        raise DataError(
            f"{path} has frames at unequal distances. Name the series that it was drawn on, or "
            "export it on a regular grid."
        )
    lowest = planes[int(along.argmin())]
    count = int(np.rint(at).max()) + 1
    if count * values[0].size > max_voxels:
        raise DataError(
            f"{path} has frames {along.max() - along.min():.5g} mm apart, and a mask around them "
            f"has more than {max_voxels} voxels. Name the series that it was drawn on."
        )
    mask = np.zeros((count, *values.shape[1:]), np.uint16)
    for place, plane, frame in zip(np.rint(at).astype(int), planes, values, strict=True):
        shift = (plane.position - lowest.position) @ np.stack([first.down, first.right], axis=1)
        corner = np.rint(shift / first.spacing_mm).astype(int)
        _paste(path, mask, frame, np.array([place, *corner]))
    direction = np.stack([first.normal, first.down, first.right], axis=1)
    own = Volume(
        _small(mask),
        (spacing, *first.spacing_mm),
        tuple(float(x) for x in lowest.position),
        direction,
    )
    return own if image is None else _as_axes_of(own, image)


def _as_axes_of(mask: Volume, image: Volume) -> Volume:
    """The same mask with its axes in the image's order and sense, where they are parallel.

    A mask that then lies on the image's grid, or on a part of it, fills the image's shape.
    """
    match = image.direction.T @ mask.direction  # image axis x mask axis
    order = np.abs(match).argmax(axis=1)
    if sorted(order) != [0, 1, 2] or np.abs(match[np.arange(3), order]).min() < 1 - SAME_AXES:
        return mask
    array = mask.array.transpose(order)
    spacing = np.array(mask.spacing_mm)[order]
    origin = np.array(mask.origin_mm)
    for axis, own in enumerate(order):
        if match[axis, own] < 0:
            length = (mask.array.shape[own] - 1) * mask.spacing_mm[own]
            origin = origin + mask.direction[:, own] * length
            array = np.flip(array, axis)
    turned = Volume(
        np.ascontiguousarray(array),
        tuple(map(float, spacing)),
        tuple(map(float, origin)),
        image.direction,
    )
    corner = to_indices(origin[None], image)[0]
    start = np.rint(corner).astype(int)
    if not np.allclose(spacing, image.spacing_mm, rtol=SAME_SPACING, atol=0) or (
        np.abs(corner - start).max() > NEAR_VOXELS
    ):
        return turned
    if (start < 0).any() or (start + turned.array.shape > np.array(image.array.shape)).any():
        return turned
    whole = np.zeros(image.array.shape, turned.array.dtype)
    whole[tuple(slice(a, a + n) for a, n in zip(start, turned.array.shape, strict=True))] = (
        turned.array
    )
    return Volume(whole, image.spacing_mm, image.origin_mm, image.direction)


def on_picture(frames: Frames, image: Volume, frame: int | None) -> Volume:
    """The mask of a picture, or of one frame of a multi-frame picture.

    Args:
        frames: Of the SEG.
        image: (H, W).
        frame: Number of the picture among the frames of its file, from 1; None for its only one.

    Raises:
        DataError: If sizes differ, or no frame shows the picture's.
    """
    path = frames.header.path
    if frames.values.shape[1:] != image.array.shape:
        ours, theirs = frames.values.shape[1:], image.array.shape
        raise DataError(
            f"{path} has frames of {ours[0]} x {ours[1]} samples, and the picture has "
            f"{theirs[0]} x {theirs[1]}. Name the picture that it was drawn on."
        )
    shown = [_source_frames(frames, place) for place in frames.places]
    own = [at for at, numbers in enumerate(shown) if frame is None or frame in numbers]
    if not own:
        raise DataError(
            f"{path} has no outline on frame {frame} of the image. Name the frame that it was "
            "drawn on."
        )
    if frame is None and len({tuple(numbers) for numbers in shown}) > 1:
        raise DataError(f"{path} has outlines on several frames. Name one of the image: #frame=1.")
    mask = np.zeros((1, *image.array.shape), np.uint16)
    for at in own:
        _paste(path, mask, frames.values[at], np.zeros(3, int))
    return Volume(_small(mask[0]), image.spacing_mm, image.origin_mm, image.direction)


def _source_frames(frames: Frames, place: int) -> list[int]:
    """Numbers of the frames that a frame of the SEG was drawn on; 1 where it does not say."""
    groups = frames.header.dataset.get("PerFrameFunctionalGroupsSequence") or ()
    found: list[int] = []
    if place < len(groups):
        for derived in groups[place].get("DerivationImageSequence") or ():
            for source in derived.get("SourceImageSequence") or ():
                numbers: Any = source.get("ReferencedFrameNumber")
                listed = numbers if hasattr(numbers, "__iter__") else [numbers]
                found += [int(number) for number in listed if number is not None]
    return found or [1]


def _small(mask: Values) -> Values:
    """In 8 bits where the numbers of segments allow it."""
    return mask.astype(np.uint8) if mask.max(initial=0) < 256 else mask
