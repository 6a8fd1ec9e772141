"""Embeddings → the plane, and the places around it for a few pictures."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

FEWEST_FOR_TSNE = 10
MOST_FOR_TSNE = 2000
PERPLEXITY = 30.0
COLLAPSED = 1e-6
"""Embeddings whose spread is below this share of their length coincide."""

How = Literal["t-SNE", "PCA"]


def project(vectors: NDArray[np.float64], seed: int = 0) -> tuple[NDArray[np.float64], How] | None:
    """Two coordinates a case, in [0, 1], with equal scales.

    t-SNE (van der Maaten & Hinton 2008) between 10 and 2,000 cases; below it has too few
    neighbours and above it takes minutes, so that the two principal components stand in.

    Args:
        vectors: (N, D), finite.
        seed: The same vectors and seed give the same map.

    Returns:
        (N, 2) and how they were made; None if there are fewer than three cases or all coincide.
    """
    length = float(np.abs(vectors).max(initial=0.0))
    if len(vectors) < 3 or float(vectors.std(axis=0).max()) <= COLLAPSED * length:
        return None
    if FEWEST_FOR_TSNE <= len(vectors) <= MOST_FOR_TSNE:
        from sklearn.manifold import TSNE  # loaded when it is needed: it takes a second
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
        tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
        # One thread: several on a busy machine wait for each other (3 s became 40 s), and the sums
        # would depend on their number.
        with threadpool_limits(1):
            plane = tsne.fit_transform(vectors)
        return _unit(np.asarray(plane, np.float64)), "t-SNE"
    return _unit(_principal(vectors)), "PCA"


def _principal(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = vectors - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    plane = np.zeros((len(vectors), 2))
    first = directions[:2]
    # The sign of a component is arbitrary: its largest entry is made positive.
    first = first * np.sign(first[np.arange(len(first)), np.abs(first).argmax(axis=1)])[:, None]
    plane[:, : len(first)] = centred @ first.T
    return plane


def _unit(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = plane.min(axis=0), plane.max(axis=0)
    span = float((high - low).max()) or 1.0
    return np.asarray((plane - (low + high) / 2) / span + 0.5)


def spread_out(plane: NDArray[np.float64], candidates: NDArray[np.int64], n: int) -> list[int]:
    """At most n of the candidates, far from each other: each the farthest from those before.

    Args:
        plane: (N, 2) where the cases lie.
        candidates: Which cases may be taken.
        n: How many to take.
    """
    if len(candidates) == 0 or n < 1:
        return []
    points = plane[candidates]
    taken = [int(np.argmax(np.linalg.norm(points - points.mean(axis=0), axis=1)))]
    nearest = np.linalg.norm(points - points[taken[0]], axis=1)
    while len(taken) < min(n, len(candidates)):
        taken.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, np.linalg.norm(points - points[taken[-1]], axis=1))
    return [int(candidates[i]) for i in taken]


def assign(points: NDArray[np.float64], places: NDArray[np.float64]) -> list[int]:
    """A place of its own for each point, so that all lines together are short and do not cross.

    Args:
        points: (P, 2).
        places: (Q, 2), Q ≥ P.
    """
    from scipy.optimize import linear_sum_assignment

    distances = np.linalg.norm(points[:, None] - places[None], axis=2)
    rows, columns = linear_sum_assignment(distances)
    return [int(place) for _, place in sorted(zip(rows, columns, strict=True))]
