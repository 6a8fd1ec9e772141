"""The size of a tumour and nothing else: the control that shows how much the mask gives away."""

from __future__ import annotations

from typing import Any

import numpy as np

from rdfc_core.case import ANY_IMAGE, Tumour
from rdfc_core.interfaces import Prepared


class Size:
    """Logarithms of area or volume, and of the box's sides, in mm."""

    needs = ANY_IMAGE

    def recipe(self) -> dict[str, Any]:
        """The store's key."""
        return {"view": "size", "version": 1}

    def prepare(self, tumour: Tumour) -> Prepared:
        """(1 + d,) for a tumour of d axes."""
        spacing_mm = np.asarray(tumour.image.spacing_mm)
        content = tumour.mask.sum() * spacing_mm.prod()
        sides_mm = np.array([s.stop - s.start for s in tumour.box]) * spacing_mm
        names = ("log_content", *(f"log_side_{axis}" for axis in range(tumour.ndim)))
        return Prepared(np.log(np.concatenate([[content], np.sort(sides_mm)])), names)
