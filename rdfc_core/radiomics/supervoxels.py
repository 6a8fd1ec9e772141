"""A randomised contour: an image's supervoxels, those at the outline taken by chance.

Source: Zwanenburg et al. 2019, Scientific Reports 9:614; supervoxels after Achanta et al. 2012
(SLIC), IEEE TPAMI 34(11), with every centre in reach of every voxel.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Tumour

WITHIN = {2: 40, 3: 120}
"""Supervoxels in a tumour, about, by its number of axes."""
SMALLEST = 4
"""Voxels of a supervoxel, at least."""
SURELY_OUT, SURELY_IN = 0.2, 0.9
"""Parts of a supervoxel inside the outline; between these it is taken with that probability."""
ROUNDS = 4
"""Of moving centres to their voxels' mean."""
SEEN = 20_000
"""Voxels that centres are moved by, at most."""

Values = NDArray[np.float64]


def random_contour(tumour: Tumour, rng: np.random.Generator) -> Tumour:
    """The tumour with an outline along supervoxels of its image.

    A supervoxel that lies inside by nine tenths is taken, one by less than two tenths is not, and
    any other with a probability of the part that lies inside. Where none would be left, the outline
    stays.

    Args:
        tumour: The tumour.
        rng: Places the supervoxels, and chooses among them.
    """
    volume = max(int(tumour.mask.sum()) / WITHIN[tumour.ndim], SMALLEST)
    spacing = np.asarray(tumour.image.spacing_mm, np.float64)
    side_mm = float((volume * spacing.prod()) ** (1 / tumour.ndim))
    margin = np.ceil(2 * side_mm / spacing).astype(int)
    place = tuple(
        slice(max(0, along.start - more), min(length, along.stop + more))
        for along, more, length in zip(tumour.box, margin.tolist(), tumour.mask.shape, strict=True)
    )
    labels = supervoxels(tumour.image.array[place], spacing, side_mm, rng)
    inside = tumour.mask[place]
    counts = np.bincount(labels.reshape(-1))
    overlap = np.bincount(labels[inside], minlength=len(counts)) / np.maximum(counts, 1)
    taken = rng.random(len(counts)) < overlap
    taken = (taken | (overlap >= SURELY_IN)) & (overlap >= SURELY_OUT)
    chosen = taken[labels]
    if not chosen.any():
        return tumour
    mask = np.zeros_like(tumour.mask)
    mask[place] = chosen
    return replace(tumour, mask=mask)


def supervoxels(
    image: NDArray[Any], spacing_mm: Values, side_mm: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """The number of each voxel's supervoxel, of the image's shape: alike in place and grey value.

    Distances are of place over `side_mm`, and of grey values over their standard deviation.

    Args:
        image: Grey values.
        spacing_mm: Along its axes.
        side_mm: Of a supervoxel, about.
        rng: Shifts the grid on which their centres begin.
    """
    from scipy.spatial import cKDTree  # loaded when asked for

    grey = image.astype(np.float64)
    spread = grey.std()
    grey = (grey - grey.mean()) / spread if spread > 0 else np.zeros_like(grey)
    places = [
        axis * step / side_mm
        for axis, step in zip(np.indices(image.shape, float), spacing_mm, strict=True)
    ]
    points = np.stack([*(one.reshape(-1) for one in places), grey.reshape(-1)], axis=1)
    centres = _grid(image.shape, grey, spacing_mm, side_mm, rng)
    seen = points if len(points) <= SEEN else points[rng.choice(len(points), SEEN, replace=False)]
    for _ in range(ROUNDS):
        _, nearest = cKDTree(centres).query(seen)
        counts = np.bincount(nearest, minlength=len(centres))
        filled = counts > 0
        sums = [np.bincount(nearest, column, len(centres)) for column in seen.T]
        centres[filled] = (np.stack(sums, axis=1) / np.maximum(counts, 1)[:, None])[filled]
    _, nearest = cKDTree(centres).query(points)
    return np.asarray(nearest, np.int64).reshape(image.shape)


def _grid(
    shape: tuple[int, ...],
    grey: Values,
    spacing_mm: Values,
    side_mm: float,
    rng: np.random.Generator,
) -> Values:
    """Centres on a grid of this side that begins anywhere, with the grey values there, (K, D+1)."""
    along = []
    for length, step in zip(shape, spacing_mm, strict=True):
        stride = max(side_mm / step, 1.0)
        first = rng.uniform(0, min(stride, length))
        along.append(np.arange(first, length, stride).astype(int).clip(0, length - 1))
    voxels = np.stack([one.reshape(-1) for one in np.meshgrid(*along, indexing="ij")], axis=1)
    values = grey[tuple(voxels.T)]
    return np.concatenate([voxels * spacing_mm / side_mm, values[:, None]], axis=1)
