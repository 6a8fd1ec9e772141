"""Closed contours as masks: which samples' centres lie inside.

The convention is MIRP's, so that both make the same mask of the same contours: a sample is inside
if its centre is, by the even-odd rule over all contours of its plane; a centre exactly on a
contour, seen along its column, is outside. Contours within others are holes, and contours that
return along themselves (keyholes) enclose what they go around.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

VERTEX_DECIMALS = 5
"""Vertices are rounded to so many decimals of a sample, which headers hold as decimal text."""


def fill(polygons: Sequence[NDArray[np.float64]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The samples inside polygons by the even-odd rule.

    Args:
        polygons: Vertices in samples, each (n, 2) as (row, column); the last joins the first.
        shape: Rows and columns.

    Returns:
        (H, W), True inside.
    """
    inside = np.zeros(shape, bool)
    start, end = _edges(polygons)
    if not len(start):
        return inside
    first = max(0, int(np.floor(min(start[:, 1].min(), end[:, 1].min()))))
    last = min(shape[1] - 1, int(np.ceil(max(start[:, 1].max(), end[:, 1].max()))))
    rows = np.arange(shape[0])
    for column in range(first, last + 1):
        # Half open: a vertex on the column belongs to one of its two edges.
        crossed = (start[:, 1] <= column) != (end[:, 1] <= column)
        if not crossed.any():
            continue
        one, other = start[crossed], end[crossed]
        share = (column - one[:, 1]) / (other[:, 1] - one[:, 1])
        at = np.sort(one[:, 0] + share * (other[:, 0] - one[:, 0]))
        at = _snapped(at)
        before = np.searchsorted(at, rows, side="left")
        after = len(at) - np.searchsorted(at, rows, side="right")
        inside[:, column] = (before % 2 == 1) & (after % 2 == 1)
    return inside


def _edges(
    polygons: Sequence[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Start and end of every edge, (m, 2) each."""
    rounded = [np.around(polygon, VERTEX_DECIMALS) for polygon in polygons if len(polygon)]
    if not rounded:
        return np.empty((0, 2)), np.empty((0, 2))
    return np.concatenate(rounded), np.concatenate([np.roll(one, -1, axis=0) for one in rounded])


def _snapped(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Crossings that are a sample's centre but for the rounding of a division."""
    whole = np.rint(at)
    return np.where(np.abs(at - whole) < 1e-9, whole, at)


def planes_for(drawn: NDArray[np.float64], count: int, between: bool) -> NDArray[np.int64]:
    """Which contour plane each plane of an image takes.

    A contour stands for the space up to half the usual distance of contours above and below it;
    of two that are equally near, the lower one is taken.

    Args:
        drawn: Planes with contours, ascending, in planes of the image; not necessarily whole.
        count: Planes of the image.
        between: Whether planes of the image between contours take the nearest of them; otherwise a
            contour fills the one plane that is nearest to it.

    Returns:
        (count,): places in ``drawn``, -1 where there is none.
    """
    reach = 0.5
    if between and len(drawn) > 2:
        reach = max(reach, float(np.median(np.diff(drawn))) / 2)
    planes = np.arange(count)
    apart = np.abs(planes[:, None] - drawn[None, :])
    nearest = np.argmin(apart, axis=1)  # the first of equally near ones
    near = apart[planes, nearest] <= reach + 1e-3
    if not between:
        own = np.zeros(count, bool)
        whole = np.rint(drawn).astype(int)
        own[whole[(whole >= 0) & (whole < count)]] = True
        near &= own
    return np.where(near, nearest, -1)
