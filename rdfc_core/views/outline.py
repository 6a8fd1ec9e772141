"""How a tumour's outline is drawn into its picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

OUTLINE = (255, 214, 10)
"""Yellow: no grey of any image comes near it, and every kind of colour vision tells them apart."""
HALO = (0, 0, 0)
"""A dark rim outside the outline, which would be lost on bright tissue."""


def outline(inside: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The outline of a mask, one pixel wide, and the rim around it.

    Args:
        inside: (h, w).

    Returns:
        Where `OUTLINE` is drawn, within the mask, and where `HALO` is, outside.
    """
    cross = ndimage.generate_binary_structure(2, 1)
    # border_value: a mask that the frame cuts off is open there, not outlined.
    line = inside & ~ndimage.binary_erosion(inside, cross, border_value=1)
    return line, ndimage.binary_dilation(inside, cross) & ~inside
