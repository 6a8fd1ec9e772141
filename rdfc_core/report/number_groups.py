"""Groups of numbers that stand for them in colours: thirds of the labels."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rdfc_core.report.run_data import Embeddings, RecordedPredictions

GROUPS = 3

Told = tuple[RecordedPredictions, ...]


def grouped(
    told: Told, embeddings: Embeddings | None
) -> tuple[tuple[str, ...], Told, Embeddings | None]:
    """The names of the groups, lowest first, and the same cases with groups for labels.

    Args:
        told: Of numbers.
        embeddings: Labels are the same numbers, as text.
    """
    known: dict[str, float] = {}
    for one in told:
        if one.truth is not None:
            known.update(zip(one.case_ids, one.truth.tolist(), strict=True))
    labels = embeddings.labels if embeddings else ()
    for case_id, label in zip(embeddings.case_ids if embeddings else (), labels, strict=True):
        if label is not None:
            known.setdefault(case_id, _number(label))
    values = np.array([value for value in known.values() if np.isfinite(value)])
    if not len(values):
        return (), told, embeddings
    edges = np.unique(np.quantile(values, np.linspace(0, 1, GROUPS + 1)))
    names = _names(edges)

    def of(numbers: NDArray[np.float64]) -> tuple[str, ...]:
        places = np.searchsorted(edges[1:-1], numbers, side="right")
        return tuple(names[place] for place in places)

    told = tuple(
        replace(one, labels=of(one.truth), predicted=of(one.said))
        if one.truth is not None and one.said is not None
        else one
        for one in told
    )
    if embeddings is not None:
        own = [None if label is None else of(np.array([_number(label)]))[0] for label in labels]
        embeddings = replace(embeddings, labels=tuple(own))
    return names, told, embeddings


def _names(edges: NDArray[np.float64]) -> tuple[str, ...]:
    """``1.3 to 1.9``; as many digits as it takes to tell the edges apart."""
    if len(edges) == 1:
        return (f"{edges[0]:.4g}",)
    for digits in (3, 4, 6, 9, 17):
        shown = [f"{edge:.{digits}g}" for edge in edges]
        if len(set(shown)) == len(shown):
            break
    return tuple(f"{low} to {high}" for low, high in pairwise(shown))


def _number(label: str) -> float:
    try:
        return float(label)
    except ValueError:
        return float("nan")
