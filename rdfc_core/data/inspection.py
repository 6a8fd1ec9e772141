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

from rdfc_core.case import ANY_IMAGE, Tumour
from rdfc_core.interfaces.prepared import Prepared
from rdfc_core.volume import extents_of

INSPECTION = "inspection"
"""What extractions call it among the views."""

MOST_LOOKED_AT = 2**18
"""Samples of an image by which its scale is told."""


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
        samples: Type of the image's samples, as ``uint8``.
        scale: As `sample_scale`.
        colour: Whether its pixels have colours.
        box_mm: Size of the outline's box, (rows, columns) or (planes, rows, columns), planes being
            axial.
    """

    image: str
    outline: str
    covered: float
    border: float
    extents: tuple[int, ...]
    voxels: int
    values: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    samples: str = ""
    scale: float = 0.0
    colour: bool = False
    box_mm: tuple[float, ...] = ()


def inspect(tumour: Tumour) -> Inspected:
    """Look at a loaded case."""
    inside = tumour.mask
    return Inspected(
        image=digest(tumour.image.array),
        outline=digest(inside),
        covered=float(inside.mean()),
        border=_border_share(inside),
        extents=extents_of(tumour.box),
        voxels=int(inside.sum()),
        values=tumour.mask_values,
        notes=tumour.notes,
        samples=tumour.image.array.dtype.name,
        scale=sample_scale(tumour.image.array),
        colour=tumour.image.colour is not None,
        box_mm=_box_mm(tumour),
    )


class Inspection:
    """The look at a case as extraction makes and stores it: JSON in UTF-8, (L,) uint8."""

    needs = ANY_IMAGE

    def recipe(self) -> dict[str, Any]:
        """The store's key."""
        return {"view": "inspection", "version": 3}  # 3: colour, and the box in mm

    def prepare(self, tumour: Tumour) -> Prepared:
        """What there is to see in one tumour."""
        text = json.dumps(asdict(inspect(tumour)))
        return Prepared(np.frombuffer(text.encode(), np.uint8))


def inspected(prepared: Prepared) -> Inspected:
    """What `Inspection.prepare` saw."""
    seen: dict[str, Any] = json.loads(prepared.array.tobytes())
    for name in ("extents", "values", "notes", "box_mm"):  # JSON knows no tuples
        seen[name] = tuple(seen[name])
    return Inspected(**seen)


def digest(array: NDArray[np.generic]) -> str:
    """The same for arrays of the same type, shape and content."""
    found = hashlib.blake2b(f"{array.dtype.str} {array.shape}".encode(), digest_size=20)
    found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def sample_scale(samples: NDArray[np.generic]) -> float:
    """The 99th percentile of the absolute grey values other than 0; 0 where there are none.

    Of large images every n-th sample is looked at: the figure tells tens from hundreds.
    """
    flat = samples.reshape(-1)
    some = np.abs(flat[:: max(1, flat.size // MOST_LOOKED_AT)].astype(np.float64))
    some = some[some > 0]
    return float(np.percentile(some, 99)) if some.size else 0.0


def _box_mm(tumour: Tumour) -> tuple[float, ...]:
    """Size of the outline's box as views show it: axial planes first."""
    order = tumour.image.axial[0] if tumour.ndim == 3 else range(2)
    extents = extents_of(tumour.box)
    return tuple(float(extents[axis] * tumour.image.spacing_mm[axis]) for axis in order)


def _border_share(inside: NDArray[np.bool_]) -> float:
    """Axes of one or two samples have no middle, and no border."""
    border = np.zeros(inside.shape, bool)
    for axis, length in enumerate(inside.shape):
        if length > 2:
            faces = np.moveaxis(border, axis, 0)
            faces[[0, -1]] = True
    return float(inside[border].mean()) if border.any() else 0.0
