"""Handcrafted features and learnt ones side by side, for one linear classifier."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RADIOMICS, IMAGE = "radiomics", "image"

Blocks = dict[str, NDArray[np.float32]]
"""`RADIOMICS`, and `IMAGE` where the pretext trains one → (N, F)."""


def blocks(standard: NDArray[np.float32], image: NDArray[np.float32] | None, train: int) -> Blocks:
    """Both at equal weight, however many columns each has.

    Args:
        standard: (N, F) handcrafted features, standardised and clipped as the view does.
        image: (N, E) learnt features of the image; None without.
        train: The first rows, which are the training part: the learnt features are standardised on
            all of them, which takes no label (of few labelled cases alone, scales would be noise).
    """
    found: Blocks = {RADIOMICS: standard}
    if image is not None:
        mean, factor = image_scale(image[:train], standard.shape[1])
        found[IMAGE] = image - mean
        found[IMAGE] *= factor  # where it lies: with 20,000 cases a copy takes 40 MB
    return found


def image_scale(
    image: NDArray[np.float32], beside: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What is taken from learnt features, and by what the rest is multiplied, (E,) each.

    Args:
        image: (N, E) learnt features of the training part.
        beside: F, the handcrafted features that they stand beside.
    """
    weight = (beside / image.shape[1]) ** 0.5
    return image.mean(axis=0), weight / np.maximum(image.std(axis=0), 1e-8)
