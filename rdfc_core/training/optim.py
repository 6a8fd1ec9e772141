"""Optimisers and the course of their learning rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from rdfc_core.settings import PretrainSettings, TrainingSettings


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
        return torch.optim.AdamW(listed, lr=rate, weight_decay=decay)
    return torch.optim.SGD(listed, lr=rate, momentum=settings.momentum, weight_decay=decay)


def learning_rate(settings: PretrainSettings, epoch: int) -> float:
    """The learning rate of an epoch, counted from 0."""
    if epoch < settings.warmup_epochs:
        return settings.learning_rate * (epoch + 1) / settings.warmup_epochs
    if settings.schedule == "constant":
        return settings.learning_rate
    share = (epoch - settings.warmup_epochs) / max(1, settings.epochs - settings.warmup_epochs)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * share))
