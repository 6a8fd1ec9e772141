"""The embedding map: one point a case, its picture under the pointer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdfc_core.report import images, text
from rdfc_core.report.palette import colour_of, shape_of
from rdfc_core.report.projection import project, spread_out
from rdfc_core.report.run_data import Embeddings, RunData
from rdfc_core.report.sections.map_margin import (
    HEIGHT,
    PRINTED,
    RING,
    WIDTH,
    Print,
    prints,
)

INSET = 14
"""Between margin and points, so that no point touches a picture."""
PICTURE_BUDGET = 2_600_000
"""Characters for all pictures of the map, so that the page stays light enough to send."""
SIDES = ((400, 96), (1000, 72))
"""Up to this many cases, pictures of this side; smaller ones beyond."""
SMALLEST_SIDE = 56
UNLABELLED = "unlabelled"


@dataclass(frozen=True)
class Point:
    """One case on the map."""

    x: float
    y: float
    shape: int
    colour: str
    test: bool


@dataclass(frozen=True)
class Key:
    """One entry of the map's key."""

    label: str
    colour: str
    shape: int
    cases: int


@dataclass(frozen=True)
class EmbeddingMap:
    """What the section shows; without a projection, only the sentence.

    ``cases`` is the script's data: for each point, in order, id, label, part and picture.
    """

    sentence: str
    points: tuple[Point, ...] = ()
    prints: tuple[Print, ...] = ()
    keys: tuple[Key, ...] = ()
    cases: tuple[dict[str, object], ...] = ()
    note: str = ""
    description: str = ""


def embedding_map(run: RunData) -> EmbeddingMap | None:
    """The section, or None while there are no embeddings."""
    found = run.embeddings
    if found is None:
        return None
    finite = np.asarray(np.isfinite(found.vectors).all(axis=1))
    rows = np.flatnonzero(finite)
    left_out = len(finite) - len(rows)
    projected = project(found.vectors[rows])
    if projected is None:
        return EmbeddingMap(_why_not(len(rows), left_out))
    plane, how = projected
    # Drawn in this order, the last on top: unlabelled, training, held back.
    order = sorted(
        range(len(rows)),
        key=lambda i: (found.parts[rows[i]] == "test", found.labels[rows[i]] is not None),
    )
    rows, plane = rows[order], plane[order]
    inner = np.array([WIDTH - 2 * (RING + INSET), HEIGHT - 2 * (RING + INSET)])
    places = np.round(plane * inner + RING + INSET, 1)
    ids = [found.case_ids[row] for row in rows]
    wanted = _most_important(found, rows, plane)
    pictures = images.map_pictures(run.pictures, wanted, _side(len(rows)), PICTURE_BUDGET)
    labels = [found.labels[row] for row in rows]
    parts = [found.parts[row] for row in rows]
    keys = _keys(run, labels)
    return EmbeddingMap(
        sentence=_sentence(found, how, len(rows)),
        points=_points(run, places, labels, parts),
        prints=prints(run.classes, ids, labels, places, pictures),
        keys=keys,
        cases=tuple(
            {
                "x": float(x),
                "y": float(y),
                "id": case_id,
                "label": label or UNLABELLED,
                "part": text.PARTS.get(part, part),
                "picture": pictures.get(case_id, ""),
            }
            for (x, y), case_id, label, part in zip(places, ids, labels, parts, strict=True)
        ),
        note=_note(run, ids, pictures, left_out),
        description=f"Map of {text.count(len(rows), 'case')} by {how}: "
        + ", ".join(f"{key.label} {key.cases}" for key in keys),
    )


def _why_not(cases: int, left_out: int) -> str:
    if left_out:
        return (
            f"{text.count(left_out, 'embedding')} hold NaN or infinite numbers and "
            f"{text.count(cases, 'case')} remain: too few for a map, or all in one place."
        )
    if cases < 3:
        return f"A map needs three cases; there {'is' if cases == 1 else 'are'} {cases}."
    return (
        "All embeddings coincide: the training has collapsed, and there is nothing to map. "
        "See the collapse curves above."
    )


def _side(cases: int) -> int:
    return next((side for most, side in SIDES if cases <= most), SMALLEST_SIDE)


def _most_important(
    found: Embeddings, rows: NDArray[np.int64], plane: NDArray[np.float64]
) -> list[str]:
    """Who gets a picture first: those that the margin shows, then held-back, then other cases."""
    first = spread_out(plane, np.arange(len(rows)), PRINTED)
    rank = {"test": 0, "train": 1}
    rest = sorted(range(len(rows)), key=lambda i: rank.get(found.parts[rows[i]], 2))
    return [found.case_ids[rows[i]] for i in dict.fromkeys([*first, *rest])]


def _points(
    run: RunData,
    places: NDArray[np.float64],
    labels: Sequence[str | None],
    parts: Sequence[str],
) -> tuple[Point, ...]:
    return tuple(
        Point(
            float(x),
            float(y),
            shape_of(label, run.classes),
            colour_of(label, run.classes),
            part == "test",
        )
        for (x, y), label, part in zip(places, labels, parts, strict=True)
    )


def _keys(run: RunData, labels: Sequence[str | None]) -> tuple[Key, ...]:
    there = [label for label in (*run.classes, None) if label in labels]
    return tuple(
        Key(
            label or UNLABELLED,
            colour_of(label, run.classes),
            shape_of(label, run.classes),
            labels.count(label),
        )
        for label in there
    )


def _sentence(found: Embeddings, how: str, cases: int) -> str:
    sentence = (
        f"The joint embeddings of {text.count(cases, 'case')}, brought into the plane by {how}. "
        "Ringed points were held back. "
    )
    sentence += (
        "Neighbours on the map are neighbours in the embedding; distances between far groups and "
        "the sizes of groups say little."
        if how == "t-SNE"
        else "The axes are the two principal components."
    )
    if found.other_splits:
        sentence += (
            f" Shown is the split “{found.split}” of {found.other_splits + 1}: maps of different "
            "networks cannot be laid over each other."
        )
    return sentence


def _note(run: RunData, ids: Sequence[str], pictures: dict[str, str], left_out: int) -> str:
    notes = []
    if not run.pictures:
        notes.append("The run keeps no pictures (pictures.parquet): the points show ids only.")
    elif len(pictures) < len(ids):
        notes.append(f"{len(pictures)} of {len(ids)} cases carry their picture.")
    if left_out:
        notes.append(
            f"{text.count(left_out, 'case')} with NaN or infinite embeddings are left out."
        )
    return " ".join(notes)
