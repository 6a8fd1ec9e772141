"""The course of the learning rate: a factor on its peak, step by step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rdfc_core.config.training_parts import WARMUP_STABLE_DECAY, part_config
from rdfc_core.config.training_settings import PretrainSettings, TrainingSettings
from rdfc_core.interfaces import Schedule
from rdfc_core.plugin.component import NoOptions, Part
from rdfc_core.plugin.registry import installed

if TYPE_CHECKING:
    from rdfc_core.training.part_options import StepConfig

WARM_SHARE = 0.1
"""Of the steps of a one-cycle schedule, those on which the learning rate rises."""

START = 1 / 25
"""Of the peak, at which a one-cycle schedule begins."""


class Constant(Schedule):
    """The peak, at every step."""

    def __init__(self, config: NoOptions) -> None:
        pass

    def factor(self, step: int, steps: int) -> float:
        """1."""
        return 1.0


class Cosine(Schedule):
    """From the peak to 0 by a half cosine.

    Source: Loshchilov & Hutter 2017.
    """

    def __init__(self, config: NoOptions) -> None:
        pass

    def factor(self, step: int, steps: int) -> float:
        """From 1 down."""
        return falling(step, steps)


class OneCycle(Schedule):
    """Up by a half cosine for a tenth of the steps, and down to 0 by another one.

    Source: Smith & Topin 2018; the shape is that of torch's `OneCycleLR`.
    """

    warms_up = False

    def __init__(self, config: NoOptions) -> None:
        pass

    def factor(self, step: int, steps: int) -> float:
        """From 1/25 up to 1, and down."""
        return one_cycle(step, steps)


class Step(Schedule):
    """The peak, and a tenth of it from a share of the steps on."""

    def __init__(self, config: StepConfig) -> None:
        self.milestone = config.lr_milestone

    def factor(self, step: int, steps: int) -> float:
        """1, and later 0.1."""
        return 0.1 if step >= round(self.milestone * steps) else 1.0


def one_cycle(step: int, steps: int) -> float:
    """Up by a half cosine for a tenth of the steps, and down to 0 by another one.

    Args:
        step: Counted from 0.
        steps: Of the whole training.
    """
    warm = max(1, int(WARM_SHARE * steps))
    if step < warm:
        return START + (1 - START) * (1 - math.cos(math.pi * step / warm)) / 2
    return falling(step - warm, steps - warm)


def falling(step: int, steps: int) -> float:
    """From 1 to 0 by a half cosine."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, max(0, step) / max(1, steps))))


def schedule_for(settings: TrainingSettings) -> Schedule:
    """The schedule that the settings name; of warmup-stable-decay its stable part."""
    part: Part = settings.schedule  # type: ignore[attr-defined]  # both kinds of training have one
    if part.name == WARMUP_STABLE_DECAY:
        return Constant(NoOptions())
    registry = installed()
    config = part_config("schedule", part, settings, registry, "schedule")
    made: Schedule = registry.get("schedule", part.name).build(config)
    return made


def pretrain_factor(
    settings: PretrainSettings,
    step: int,
    epoch_steps: int,
    epochs: int,
    decay: range | None,
    schedule: Schedule | None = None,
) -> float:
    """Of a pretraining.

    Args:
        settings: Name the schedule and its warm-up.
        step: Counted from 0.
        epoch_steps: Steps of an epoch.
        epochs: Of the whole training.
        decay: The steps over which warmup-stable-decay falls; None: it is stable yet.
        schedule: As `schedule_for` makes it; None: it is made for this step.
    """
    schedule, steps = schedule or schedule_for(settings), epochs * epoch_steps
    if not schedule.warms_up:
        return schedule.factor(step, steps)
    warm = max(settings.warmup_steps, settings.warmup_epochs * epoch_steps)
    if step < warm:
        return (step + 1) / warm
    if settings.schedule.name == WARMUP_STABLE_DECAY and decay is not None:
        return falling(step - decay.start, len(decay))
    return schedule.factor(step - warm, max(1, steps - warm))
