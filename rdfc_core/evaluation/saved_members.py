"""What evaluation has trained, in the form in which it is saved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation.conventional_radiomics import ConventionalRadiomics
from rdfc_core.evaluation.feature_blocks import IMAGE, image_scale
from rdfc_core.models.linear_model import LinearModel
from rdfc_core.models.members import LEARNT, MEASURED, STANDARD, LinearMember


def of_blocks(
    model: LinearModel,
    handcrafted: str,
    image: str,
    learnt: NDArray[np.float32],
    beside: int,
) -> LinearMember:
    """A linear model on blocks (`rdfc_core.evaluation.feature_blocks`), the image's scale in it.

    Args:
        model: Its views are names of blocks.
        handcrafted: The view of the handcrafted features.
        image: The view of the learnt ones.
        learnt: (N, E) those of the training part, by which the block was scaled.
        beside: F, the handcrafted features.
    """
    weights: dict[str, NDArray[np.float64]] = {}
    bias, start = model.bias, 0
    for block in model.views:
        width = learnt.shape[1] if block == IMAGE else beside
        weight, start = model.weight[:, start : start + width], start + width
        if block == IMAGE:
            mean, factor = image_scale(learnt, beside)
            weight = weight * factor
            bias = bias - weight @ mean
        weights[f"{LEARNT}.{image}" if block == IMAGE else f"{STANDARD}.{handcrafted}"] = weight
    return LinearMember(weights, bias, np.zeros(0))


def of_pipeline(method: ConventionalRadiomics, handcrafted: str) -> LinearMember:
    """The SVM pipeline: imputation, scaling, selection and classifier are one linear map."""
    weight, bias, fill = method.linear()
    return LinearMember({f"{MEASURED}.{handcrafted}": weight}, bias, fill)
