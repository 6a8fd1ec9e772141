"""A tumour's image and outline, slightly changed, as another scan and another reader would.

Letters say what is done, in this order: ``N`` noise, ``R`` rotation, ``T`` translation by less than
a voxel, ``V`` growth or shrinkage of the volume, ``C`` a randomised contour.

Source of the idea: Zwanenburg et al. 2019, Scientific Reports 9:614, whose steps these are; the
amounts are drawn afresh each time here, and the noise level is estimated by a Haar wavelet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Tumour, Volume
from rdfc_core.case.tumour import WhatWasAsked
from rdfc_core.errors import StudyError
from rdfc_core.radiomics.supervoxels import random_contour
from rdfc_core.volume import Box

LETTERS = "NRTVC"
"""Noise, rotation, translation, volume, contour: in this order."""

VERSION = 1
"""Raised whenever a seed gives another perturbation: stored features are made anew."""

MOST_DEGREES = 15.0
"""Of a rotation, about the axis across the slices."""
MOST_SHIFT = 0.5
"""Of a translation, in voxels along each axis."""
MOST_VOLUME_CHANGE = 0.15
"""Of growth or shrinkage, as a share of the volume."""

ROUNDING = 1e-9
"""Of interpolated outlines."""

CONTEXT = 24
"""Voxels around the mask that filters see: so far the image is changed with it."""
GROWTH = 8
"""Voxels around the mask, at least, into which it may grow."""

Mask = NDArray[np.bool_]
Seeds = list[int]


@dataclass(frozen=True)
class Perturbation:
    """One perturbation of many, the same for the same tumour, seed and number.

    Args:
        chain: Letters of `LETTERS`, each once.
        seed: Of the study or the command.
        number: Of the perturbation, from 0: each is another.

    Raises:
        StudyError: If the chain holds other letters, one twice, or none.
    """

    chain: str = "NTVC"
    seed: int = 0
    number: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "chain", in_order(self.chain))

    def of(self, tumour: Tumour) -> Tumour:
        """The tumour with its image and mask perturbed; of several images each alike."""
        seeds = [self.seed, self.number, *_content(tumour)]
        changed = self._one(tumour, seeds)
        if not tumour.images:
            return changed
        images = {name: self._one(one, seeds) for name, one in tumour.images.items()}
        return replace(changed, images=WhatWasAsked("image", images))

    def _one(self, tumour: Tumour, seeds: Seeds) -> Tumour:
        """One image: every step draws from a stream of its own, whatever steps there are."""

        def stream(letter: str) -> np.random.Generator:
            return np.random.default_rng([*seeds, LETTERS.index(letter)])

        if "N" in self.chain:
            tumour = with_noise(tumour, stream("N"))
        if "R" in self.chain or "T" in self.chain:
            degrees, shift = 0.0, np.zeros(tumour.ndim)
            if "R" in self.chain:
                degrees = stream("R").uniform(-MOST_DEGREES, MOST_DEGREES)
            if "T" in self.chain:
                shift = stream("T").uniform(-MOST_SHIFT, MOST_SHIFT, tumour.ndim)
            tumour = moved(tumour, degrees, shift)
        if "V" in self.chain:
            share = stream("V").uniform(-MOST_VOLUME_CHANGE, MOST_VOLUME_CHANGE)
            tumour = resized(tumour, share, stream("V"))
        return random_contour(tumour, stream("C")) if "C" in self.chain else tumour


def in_order(chain: str) -> str:
    """The letters of a chain in the order in which they are done.

    Raises:
        StudyError: If it holds other letters, one twice, or none.
    """
    letters = chain.upper()
    if not letters or len(set(letters)) < len(letters) or not set(letters) <= set(LETTERS):
        raise StudyError(
            f"The perturbation {chain!r} is not of the letters N (noise), R (rotation), "
            "T (translation), V (volume) and C (contour), each at most once. Write NTVC, say."
        )
    return "".join(letter for letter in LETTERS if letter in letters)


def with_noise(tumour: Tumour, rng: np.random.Generator) -> Tumour:
    """Normal noise as strong as the image's own, within the range of its type."""
    place = around(tumour, CONTEXT)
    part = tumour.image.array[place]
    noise = rng.normal(0.0, 1.0, part.shape) * noise_level(part, _planes(tumour.image))

    def noisy(values: NDArray[Any]) -> NDArray[Any]:
        added = noise[..., None] if values.ndim > noise.ndim else noise
        return values + added

    return replace(tumour, image=_changed(tumour.image, place, noisy))


def noise_level(image: NDArray[Any], axes: tuple[int, int]) -> float:
    """Standard deviation of an image's noise: of its finest diagonal detail, without its edges.

    Args:
        image: Grey values.
        axes: The two axes of a slice.

    Source: Donoho & Johnstone 1994, Biometrika 81(3): the median absolute deviation of the finest
    wavelet coefficients over 0.6745; here the diagonal ones of the Haar wavelet, at every place.
    """
    first, second = axes
    detail = np.diff(np.diff(image.astype(np.float64), axis=first), axis=second) / 2
    return float(np.median(np.abs(detail)) / 0.6745) if detail.size else 0.0


def moved(tumour: Tumour, degrees: float, shift: NDArray[np.float64]) -> Tumour:
    """Image and outline turned about the mask's centre and shifted, on the grid that they had.

    The image is interpolated by cubic splines, within the range of its values; the outline
    linearly, and cut at half.

    Args:
        tumour: The tumour.
        degrees: Within slices.
        shift: Voxels along each axis.
    """
    from scipy import ndimage  # loaded when asked for

    place = around(tumour, CONTEXT + _reach(tumour, degrees))
    outline = tumour.mask[place].astype(np.float64)
    centre = np.array([along.mean() for along in np.nonzero(outline)])
    turn = _rotation(tumour.image, degrees)
    offset = centre - turn @ (centre + shift)
    if not degrees:
        turn = np.diag(turn)  # for which there is a faster way
    turned = ndimage.affine_transform(outline, turn, offset, order=1, mode="grid-constant")
    # Of a tumour of a voxel or two nothing may reach one half.
    inside = turned >= max(min(0.5, turned.max()) - ROUNDING, ROUNDING)

    def image(values: NDArray[Any]) -> NDArray[Any]:
        if values.ndim > turned.ndim:
            planes = [image(values[..., colour]) for colour in range(values.shape[-1])]
            return np.stack(planes, axis=-1)
        smooth = ndimage.affine_transform(
            values.astype(np.float64), turn, offset, order=3, mode="nearest"
        )
        return np.asarray(smooth.clip(values.min(), values.max()))

    mask = np.zeros_like(tumour.mask)
    mask[place] = inside
    return replace(tumour, image=_changed(tumour.image, place, image), mask=mask)


def resized(tumour: Tumour, share: float, rng: np.random.Generator) -> Tumour:
    """The tumour with a mask of so much more, or less, volume.

    The voxels that are nearest to the outline (in mm) come in or go, of equally near ones any; at
    least one voxel stays, and no voxel beyond the image comes in.

    Args:
        tumour: The tumour.
        share: Of its volume: 0.1 makes it a tenth larger.
        rng: Chooses among equally near voxels.
    """
    from scipy import ndimage

    place = around(tumour, max(GROWTH, max(s.stop - s.start for s in tumour.box) // 8))
    mask = tumour.mask[place]
    count = int(mask.sum())
    change = max(1, round(count * (1 + share))) - count
    if change == 0:
        return tumour
    # What lies beyond the image counts as outside.
    framed = np.pad(mask, 1) if change < 0 else ~mask
    distances = ndimage.distance_transform_edt(framed, sampling=tumour.image.spacing_mm)
    if change < 0:
        distances = distances[(slice(1, -1),) * mask.ndim]
    candidates = np.flatnonzero(mask if change < 0 else ~mask)
    near = np.lexsort((rng.random(len(candidates)), distances.reshape(-1)[candidates]))
    part = mask.reshape(-1).copy()
    part[candidates[near[: abs(change)]]] = change > 0
    resized = tumour.mask.copy()
    resized[place] = part.reshape(mask.shape)
    return replace(tumour, mask=resized)


def around(tumour: Tumour, margin: int) -> Box:
    """The mask's box, widened as far as the image goes."""
    return tuple(
        slice(max(0, along.start - margin), min(length, along.stop + margin))
        for along, length in zip(tumour.box, tumour.mask.shape, strict=True)
    )


def _content(tumour: Tumour) -> Seeds:
    """Seeds from what is seen: results are stored by content, so what is drawn must follow it."""
    image, mask = tumour.image.array[tumour.box], tumour.mask[tumour.box]
    told = hashlib.sha256(f"{tumour.box}{image.dtype.str}".encode())
    told.update(np.packbits(mask).tobytes())
    told.update(np.ascontiguousarray(image).tobytes())
    return [int(word) for word in np.frombuffer(told.digest()[:16], "<u4")]


def _planes(image: Volume) -> tuple[int, int]:
    """The two axes of a slice."""
    if image.array.ndim == 2:
        return 0, 1
    first, second = (axis for axis in range(3) if axis != image.slice_axis)
    return first, second


def _rotation(image: Volume, degrees: float) -> NDArray[np.float64]:
    """From voxels of the turned image to those of the image, about the origin."""
    first, second = _planes(image)
    angle, spacing = np.deg2rad(degrees), np.asarray(image.spacing_mm)
    turn = np.eye(image.array.ndim)
    turn[first, first] = turn[second, second] = np.cos(angle)
    turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
    return np.asarray(turn * spacing[None, :] / spacing[:, None])


def _reach(tumour: Tumour, degrees: float) -> int:
    """How many voxels a rotation may carry the outline beyond its box."""
    if not degrees:
        return 1
    spacing = tumour.image.spacing_mm
    sides = [(along.stop - along.start) * mm for along, mm in zip(tumour.box, spacing, strict=True)]
    chord = np.linalg.norm(sides) * np.sin(np.deg2rad(abs(degrees)) / 2)
    return int(np.ceil(chord / min(spacing))) + 1


def _changed(image: Volume, place: Box, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Volume:
    """The image with one part changed, as floats; values of whole numbers stay in their range."""

    def changed(array: NDArray[Any]) -> NDArray[Any]:
        values = array.astype(np.result_type(array.dtype, np.float32))
        part = change(array[place])
        if array.dtype.kind in "iu":
            limits = np.iinfo(array.dtype)
            part = part.clip(limits.min, limits.max)
        values[place] = part
        return values

    colour = None if image.colour is None else changed(image.colour)
    return replace(image, array=changed(image.array), colour=colour)
