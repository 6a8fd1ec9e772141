"""What evaluation has trained, in the form in which it is saved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation.feature_blocks import Blocks
from rdfc_core.evaluation.tasks import RadiomicsMethod
from rdfc_core.models.linear_model import LinearModel
from rdfc_core.models.members import MEASURED, LinearMember
from rdfc_core.results.vocabulary import TaskName


def of_blocks(model: LinearModel, blocks: Blocks) -> LinearMember:
    """A linear model on blocks, whose scales go into its weights.

    Args:
        model: Its views are names of blocks.
        blocks: Name → block.
    """
    weights: dict[str, NDArray[np.float64]] = {}
    bias, start = model.bias, 0
    for block in (blocks[name] for name in model.views):
        end = start + block.table.shape[1]
        weight, start = model.weight[:, start:end], end
        if block.factor is not None and block.mean is not None:
            weight = weight * block.factor
            bias = bias - weight @ block.mean
        ends = np.cumsum(list(block.sources.values()))
        parts = np.split(weight, ends[:-1], axis=1)
        weights |= dict(zip(block.sources, parts, strict=True))
    return LinearMember(weights, bias, np.zeros(0), model.task)


def of_pipeline(method: RadiomicsMethod, handcrafted: str, task: TaskName) -> LinearMember:
    """Conventional radiomics: imputation, scaling, selection and classifier are one linear map."""
    weight, bias, fill = method.linear()
    return LinearMember({f"{MEASURED}.{handcrafted}": weight}, bias, fill, task)
