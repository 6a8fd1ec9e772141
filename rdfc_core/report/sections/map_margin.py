"""Pictures in the margin of the embedding map, which show something on paper too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdfc_core.report.palette import colour_of
from rdfc_core.report.projection import assign, spread_out

WIDTH, HEIGHT = 640, 640
RING = 94
"""Width of the margin around the points, where a few pictures stand."""
SIDE = 78
"""Side of these pictures."""
COLUMNS, ROWS = 6, 4
PRINTED = 2 * (COLUMNS + ROWS)


@dataclass(frozen=True)
class Print:
    """A picture in the margin with a line to its point."""

    x: float
    y: float
    from_x: float
    from_y: float
    to_x: float
    to_y: float
    colour: str
    picture: str
    case_id: str


def prints(
    classes: Sequence[str],
    ids: Sequence[str],
    labels: Sequence[str | None],
    places: NDArray[np.float64],
    pictures: dict[str, str],
) -> tuple[Print, ...]:
    """At most `PRINTED` pictures of cases that lie far from each other.

    Args:
        classes: The data set's classes.
        ids: (N,) case ids.
        labels: (N,) diagnoses.
        places: (N, 2) where the cases lie on the map.
        pictures: Case id → JPEG in base64.
    """
    with_picture = np.array([i for i, case_id in enumerate(ids) if case_id in pictures], np.int64)
    chosen = spread_out(places, with_picture, PRINTED)
    if not chosen:
        return ()
    ring = _ring()
    slots = assign(places[chosen], ring)
    found = []
    for i, slot in zip(chosen, slots, strict=True):
        (cx, cy), (x, y) = ring[slot], places[i]
        # The line starts at the edge of the picture that faces the points.
        edge = np.clip([x - cx, y - cy], -SIDE / 2, SIDE / 2)
        found.append(
            Print(
                x=round(float(cx - SIDE / 2), 1),
                y=round(float(cy - SIDE / 2), 1),
                from_x=round(float(cx + edge[0]), 1),
                from_y=round(float(cy + edge[1]), 1),
                to_x=float(x),
                to_y=float(y),
                colour=colour_of(labels[i], classes),
                picture=pictures[ids[i]],
                case_id=ids[i],
            )
        )
    return tuple(found)


def _ring() -> NDArray[np.float64]:
    """The middles of the pictures' places around the points."""
    near, far_x, far_y = RING / 2, WIDTH - RING / 2, HEIGHT - RING / 2
    across = np.linspace(near, far_x, COLUMNS)
    down = np.linspace(near, far_y, ROWS + 2)[1:-1]
    return np.array(
        [(x, y) for y in (near, far_y) for x in across]
        + [(x, y) for x in (near, far_x) for y in down]
    )
