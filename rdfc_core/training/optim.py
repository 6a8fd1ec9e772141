"""The optimisers that networks are trained by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from rdfc_core.config.training_settings import TrainingSettings


def optimizer_for(
    groups: Sequence[Mapping[str, Any]], settings: TrainingSettings
) -> torch.optim.Optimizer:
    """SGD with momentum, or AdamW.

    Args:
        groups: ``params`` of each group, and ``lr`` where it is not that of the settings.
        settings: Name the optimiser, its rate and its decay.
    """
    rate, decay = settings.learning_rate, settings.weight_decay
    listed = [dict(group) for group in groups]
    if settings.optimizer == "adamw":
        # fused: one pass over the weights, a third of the time (SGD gains nothing by it).
        return torch.optim.AdamW(listed, lr=rate, weight_decay=decay, fused=True)
    return torch.optim.SGD(
        listed,
        lr=rate,
        momentum=settings.momentum,
        weight_decay=decay,
        nesterov=settings.nesterov and settings.momentum > 0,  # without momentum it is the same
    )


def set_learning_rates(
    optimizer: torch.optim.Optimizer, peaks: Sequence[float], factor: float
) -> None:
    """Every group's learning rate: the factor on its peak."""
    for group, peak in zip(optimizer.param_groups, peaks, strict=True):
        group["lr"] = peak * factor
