"""What there is to see in a case's samples and outline, whatever the study measures of it.

Extraction makes and stores it like a view, so that `rdfc run` knows what `rdfc datasets check` does
without reading files again. Free of torch: worker processes load this.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Tumour
from rdfc_core.interfaces.prepared import Prepared

INSPECTION = "inspection"
"""What extractions call it among the views."""


@dataclass(frozen=True)
class Inspected:
    """One case, looked at.

    Args:
        image: The same for the same image samples.
        outline: The same for the same outline.
        covered: Share of the image inside the outline.
        border: Share of the image's outermost samples inside the outline.
        extents: Samples of the outline's box along each axis.
        voxels: Samples inside.
        values: What the mask file holds inside, as `Tumour.mask_values`.
        notes: As `Tumour.notes`.
    """

    image: str
    outline: str
    covered: float
    border: float
    extents: tuple[int, ...]
    voxels: int
    values: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


def inspect(tumour: Tumour) -> Inspected:
    """Look at a loaded case."""
    inside = tumour.mask
    return Inspected(
        image=digest(tumour.image.array),
        outline=digest(inside),
        covered=float(inside.mean()),
        border=_border_share(inside),
        extents=tuple(span.stop - span.start for span in tumour.box),
        voxels=int(inside.sum()),
        values=tumour.mask_values,
        notes=tumour.notes,
    )


class Inspection:
    """The look at a case as extraction makes and stores it: JSON in UTF-8, (L,) uint8."""

    def recipe(self) -> dict[str, Any]:
        """The store's key."""
        return {"view": "inspection", "version": 1}

    def prepare(self, tumour: Tumour) -> Prepared:
        """What there is to see in one tumour."""
        text = json.dumps(asdict(inspect(tumour)))
        return Prepared(np.frombuffer(text.encode(), np.uint8))


def inspected(prepared: Prepared) -> Inspected:
    """What `Inspection.prepare` saw."""
    seen: dict[str, Any] = json.loads(prepared.array.tobytes())
    for name in ("extents", "values", "notes"):  # JSON knows no tuples
        seen[name] = tuple(seen[name])
    return Inspected(**seen)


def digest(array: NDArray[np.generic]) -> str:
    """The same for arrays of the same type, shape and content."""
    found = hashlib.blake2b(f"{array.dtype.str} {array.shape}".encode(), digest_size=20)
    found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def _border_share(inside: NDArray[np.bool_]) -> float:
    """Axes of one or two samples have no middle, and no border."""
    border = np.zeros(inside.shape, bool)
    for axis, length in enumerate(inside.shape):
        if length > 2:
            faces = np.moveaxis(border, axis, 0)
            faces[[0, -1]] = True
    return float(inside[border].mean()) if border.any() else 0.0
