"""Bodies around a mesh: convex hull, boxes and ellipsoids, each with volume and area.

Sources: IBSI reference manual, arXiv:1612.07003, section 3.1; O'Rourke 1985 (boxes), Khachiyan 1996
(ellipsoids).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from rdfc_features_native.compiling import compiled

Points = NDArray[np.float64]
Body = tuple[float, float]
"""Volume (mm³) and area (mm²)."""

TOLERANCE = 1e-6
"""Of the ellipsoid: points lie outside by no more than this share."""
MOST_STEPS = 100_000
AREA_TERMS = 20
"""Of the series for an ellipsoid's area, as the manual proposes."""


def box_body(sides_mm: Iterable[float]) -> Body:
    """A box."""
    a, b, c = sides_mm
    return a * b * c, 2 * (a * b + b * c + a * c)


def ellipsoid_body(radii_mm: Iterable[float]) -> Body:
    """An ellipsoid; all radii above 0.

    The area is the manual's series, and the consensus values follow it. It takes 1 − c²/a² where
    the exact one has 1 − c²/b² (a ≥ b ≥ c), which makes a few percent.
    """
    c, b, a = sorted(radii_mm)
    alpha, beta = 1 - (b / a) ** 2, 1 - (c / a) ** 2
    # (αβ)^ν P_ν((α² + β²) / 2αβ) by Legendre's recurrence, which needs no division.
    before, term = 0.0, 1.0
    total = 0.0
    for order in range(AREA_TERMS + 1):
        total += term / (1 - 4 * order**2)
        following = (2 * order + 1) * (alpha + beta) / 2 * term - order * alpha * beta * before
        before, term = term, following / (order + 1)
    return 4 / 3 * math.pi * a * b * c, 4 * math.pi * a * b * total


def smallest_box(hull: ConvexHull) -> Body:
    """The smallest box that has a face flush with one of the convex hull's, and an edge as well."""
    normals = np.unique(np.round(hull.equations[:, :3], 9), axis=0)
    leading = normals[np.arange(len(normals)), (np.abs(normals) > 1e-9).argmax(axis=1)]
    normals = normals[leading > 0]  # one of two opposite ones
    firsts = np.zeros_like(normals)
    firsts[np.arange(len(normals)), np.abs(normals).argmin(axis=1)] = 1
    firsts -= normals * (firsts * normals).sum(axis=1, keepdims=True)
    firsts /= np.linalg.norm(firsts, axis=1, keepdims=True)
    seconds = np.cross(normals, firsts)
    return box_body(_smallest_sides(normals, firsts, seconds, hull.points[hull.vertices]))


def smallest_ellipsoid(points: Points) -> Body:
    """The smallest ellipsoid around points, (M, 3), to `TOLERANCE`.

    Khachiyan's ascent with steps towards and away from points (Todd & Yildirim 2007).
    """
    return ellipsoid_body(_enclosing_radii(points - points.mean(axis=0)))


@compiled
def _smallest_sides(
    normals: Points, firsts: Points, seconds: Points, points: Points
) -> NDArray[np.float64]:
    """Sides of the smallest box, (3,), with one axis among the normals.

    Args:
        normals: Of unit length, (K, 3).
        firsts: A unit vector across each, (K, 3).
        seconds: The one across both, (K, 3).
        points: That the box encloses, (M, 3).
    """
    best = np.inf
    sides = np.zeros(3)
    size = points.shape[0]
    u, v = np.empty(size), np.empty(size)
    for k in range(normals.shape[0]):
        low, high = np.inf, -np.inf
        for t in range(size):
            height, u[t], v[t] = 0.0, 0.0, 0.0
            for axis in range(3):
                height += points[t, axis] * normals[k, axis]
                u[t] += points[t, axis] * firsts[k, axis]
                v[t] += points[t, axis] * seconds[k, axis]
            low, high = min(low, height), max(high, height)
        width, depth = _smallest_rectangle(u, v)
        if width * depth * (high - low) < best:
            best = width * depth * (high - low)
            sides[0], sides[1], sides[2] = width, depth, high - low
    return sides


@compiled
def _smallest_rectangle(u: NDArray[np.float64], v: NDArray[np.float64]) -> tuple[float, float]:
    """Sides of the smallest rectangle around points in a plane, (M,) each.

    One of its sides lies on the points' convex outline, which is walked around (Jarvis 1973).
    """
    size = u.size
    here = 0
    for t in range(size):
        if u[t] < u[here] or (u[t] == u[here] and v[t] < v[here]):
            here = t
    start = here
    best, width, depth = np.inf, 0.0, 0.0
    for _ in range(size):
        ahead = here
        for t in range(size):
            turn = (u[ahead] - u[here]) * (v[t] - v[here])
            turn -= (v[ahead] - v[here]) * (u[t] - u[here])
            step = (u[t] - u[here]) ** 2 + (v[t] - v[here]) ** 2
            reach = (u[ahead] - u[here]) ** 2 + (v[ahead] - v[here]) ** 2
            if step > 0 and (reach == 0 or turn < 0 or (turn == 0 and step > reach)):
                ahead = t
        if ahead == here:
            break
        length = np.hypot(u[ahead] - u[here], v[ahead] - v[here])
        du, dv = (u[ahead] - u[here]) / length, (v[ahead] - v[here]) / length
        along_low, along_high, across_low, across_high = np.inf, -np.inf, np.inf, -np.inf
        for t in range(size):
            along, across = u[t] * du + v[t] * dv, v[t] * du - u[t] * dv
            along_low, along_high = min(along_low, along), max(along_high, along)
            across_low, across_high = min(across_low, across), max(across_high, across)
        if (along_high - along_low) * (across_high - across_low) < best:
            width, depth = along_high - along_low, across_high - across_low
            best = width * depth
        here = ahead
        if here == start:
            break
    return width, depth


def _enclosing_radii(points: Points) -> NDArray[np.float64]:
    """Radii of the smallest ellipsoid around points, (M, 3), ascending."""
    count, ndim = points.shape
    lifted = np.column_stack([points, np.ones(count)])
    weights = np.full(count, 1 / count)
    for _ in range(MOST_STEPS):
        inverse = np.linalg.inv((lifted.T * weights) @ lifted)
        heights = ((lifted @ inverse) * lifted).sum(axis=1)
        far = int(heights.argmax())
        near = int(np.where(weights > 1e-12, heights, np.inf).argmin())
        above, below = heights[far] / (ndim + 1) - 1, 1 - heights[near] / (ndim + 1)
        if max(above, below) < TOLERANCE:
            break
        chosen = far if above > below else near
        step = (heights[chosen] - ndim - 1) / ((ndim + 1) * (heights[chosen] - 1))
        if chosen == near:
            step = max(step, -weights[near] / (1 - weights[near]))
        weights *= 1 - step
        weights[chosen] += step
    centre = weights @ points
    spread = (points.T * weights) @ points - np.outer(centre, centre)
    return np.asarray(np.sqrt(np.linalg.eigvalsh(spread) * ndim))
