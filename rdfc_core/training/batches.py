"""Cases in random order, cut into batches of nearly equal size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from rdfc_core.errors import DataError, StudyError
from rdfc_core.settings import PretrainSettings


def batches(cases: int, batch_size: int, generator: torch.Generator) -> Sequence[Tensor]:
    """The numbers 0 … cases − 1 in random order, cut into batches of nearly equal size.

    A last batch of one case would break batch normalisation, so that none has fewer than two.
    """
    order = torch.randperm(cases, generator=generator)
    return order.tensor_split(batch_count(cases, batch_size))


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
    if settings.cases_in == "file":
        raise StudyError(
            "pretrain.cases_in: file is for one process, and each of several needs all cases. Set "
            "pretrain.cases_in: memory, or use --devices 1."
        )
    if settings.compile is not None:
        raise StudyError(
            "pretrain.compile is for one process: compiled networks do not wait for each other's "
            "batch statistics. Leave it out, or use --devices 1."
        )
