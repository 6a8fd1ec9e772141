"""Cases in random order, cut into batches of nearly equal size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from rdfc_core.config.supervised_settings import SupervisedSettings
from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.errors import DataError, StudyError


def batches(cases: int, batch_size: int, generator: torch.Generator) -> Sequence[Tensor]:
    """The numbers 0 … cases − 1 in random order, cut into batches of nearly equal size.

    A last batch of one case would break batch normalisation, so that none has fewer than two.
    """
    order = torch.randperm(cases, generator=generator)
    return order.tensor_split(batch_count(cases, batch_size))


def endless_batches(cases: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Batches of equal size from one random order of 0 … cases − 1 after the other.

    Of fewer cases than a batch holds each stands in it several times, varied each time anew.
    """
    waiting = torch.empty(0, dtype=torch.long)
    while True:
        while len(waiting) < batch_size:
            waiting = torch.cat([waiting, torch.randperm(cases, generator=generator)])
        yield waiting[:batch_size]
        waiting = waiting[batch_size:]


def label_steps(cases: int, settings: SupervisedSettings) -> int:
    """Steps of a training with so many labels: those of its epochs, between floor and ceiling."""
    steps = max(settings.epochs * math.ceil(cases / settings.batch_size), settings.min_steps)
    return min(steps, settings.max_steps) if settings.max_steps is not None else steps


def batch_count(cases: int, batch_size: int) -> int:
    """How many batches an epoch has."""
    return max(1, min(math.ceil(cases / batch_size), cases // 2))


def require_trainable(cases: int, settings: PretrainSettings, processes: int) -> None:
    """Refuse to train on what batch normalisation fails on, and in a way that several cannot.

    Args:
        cases: N.
        settings: Of the training.
        processes: Each takes its part of every batch.

    Raises:
        DataError: If there are fewer than two cases.
        StudyError: If a process would get fewer than two, or an option is for one process only.
    """
    if cases < 2:
        raise DataError(
            f"Pretraining needs at least two cases and has {cases}. Add cases, or set "
            "split.pretext: all."
        )
    if processes == 1:
        return
    smallest = cases // batch_count(cases, settings.batch_size)
    if smallest < 2 * processes:
        raise StudyError(
            f"Batches of {smallest} cases are too small for {processes} processes, which need two "
            "each. Raise pretrain.batch_size, or use fewer --devices."
        )
    if settings.data_placement == "file":
        raise StudyError(
            "pretrain.data_placement: file is for one process, and each of several needs all "
            "cases. Set pretrain.data_placement: memory, or use --devices 1."
        )
    if settings.compile is not None:
        raise StudyError(
            "pretrain.compile is for one process: compiled networks do not wait for each other's "
            "batch statistics. Leave it out, or use --devices 1."
        )
