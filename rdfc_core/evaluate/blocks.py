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
        mean, spread = image[:train].mean(axis=0), image[:train].std(axis=0)
        weight = (standard.shape[1] / image.shape[1]) ** 0.5
        scaled = (image - mean) / np.maximum(spread, 1e-8) * weight
        found[IMAGE] = scaled.astype(np.float32)
    return found
