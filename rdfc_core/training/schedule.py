"""The course of the learning rate: a factor on its peak, step by step."""

from __future__ import annotations

import math

from rdfc_core.config.supervised_settings import SupervisedSettings
from rdfc_core.config.training_settings import PretrainSettings

WARM_SHARE = 0.1
"""Of the steps of a one-cycle schedule, those on which the learning rate rises."""

START = 1 / 25
"""Of the peak, at which a one-cycle schedule begins."""


def one_cycle(step: int, steps: int) -> float:
    """Up by a half cosine for a tenth of the steps, and down to 0 by another one.

    Args:
        step: Counted from 0.
        steps: Of the whole training.

    Source: Smith & Topin 2018; the shape is that of torch's `OneCycleLR`.
    """
    warm = max(1, int(WARM_SHARE * steps))
    if step < warm:
        return START + (1 - START) * (1 - math.cos(math.pi * step / warm)) / 2
    return falling(step - warm, steps - warm)


def falling(step: int, steps: int) -> float:
    """From 1 to 0 by a half cosine."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, max(0, step) / max(1, steps))))


def supervised_factor(settings: SupervisedSettings, step: int, steps: int) -> float:
    """Of a training with labels of so many steps."""
    if settings.schedule == "one-cycle":
        return one_cycle(step, steps)
    late = settings.schedule == "step" and step >= round(settings.lr_milestone * steps)
    return 0.1 if late else 1.0


def pretrain_factor(
    settings: PretrainSettings, step: int, epoch_steps: int, epochs: int, decay: range | None
) -> float:
    """Of a pretraining.

    Args:
        settings: Name the schedule and its warm-up.
        step: Counted from 0.
        epoch_steps: Steps of an epoch.
        epochs: Of the whole training.
        decay: The steps over which warmup-stable-decay falls; None: it is stable yet.
    """
    if settings.schedule == "one-cycle":
        return one_cycle(step, epochs * epoch_steps)
    warm = max(settings.warmup_steps, settings.warmup_epochs * epoch_steps)
    if step < warm:
        return (step + 1) / warm
    if settings.schedule == "cosine":
        return falling(step - warm, epochs * epoch_steps - warm)
    if settings.schedule == "warmup-stable-decay" and decay is not None:
        return falling(step - decay.start, len(decay))
    return 1.0
