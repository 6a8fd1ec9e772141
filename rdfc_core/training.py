"""What every training loop has in common: seeds, devices, batches of equal size, optimisers."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rdfc_core.errors import DataError, StudyError
from rdfc_core.group import ALONE, Group
from rdfc_core.settings import AnyPrecision, Precision, PretrainSettings, TrainingSettings

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Weights and dropout, which torch draws from its global generator, follow the seed here."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def fastest() -> Precision:
    """bfloat16 where the device multiplies it, which takes about half the time; single elsewhere.

    Source: measured on a processor (docs/performance.md); of GPUs, NVIDIA's since Ampere.
    """
    if not torch.cuda.is_available() and torch.backends.mps.is_available():
        return "32-true"  # nothing was measured there
    return "32-true" if emulates_bfloat16() else "bf16-mixed"


def emulates_bfloat16() -> bool:
    """Whether the device multiplies bfloat16 in other numbers, which takes many times as long.

    Source: measured on a processor with AVX2 alone (docs/performance.md).
    """
    if torch.cuda.is_available():
        return not torch.cuda.is_bf16_supported(including_emulation=False)
    if torch.backends.mps.is_available():
        return False
    return not (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def device_for(precision: AnyPrecision, group: Group = ALONE) -> Fabric:
    """The accelerator of this machine, or its processor; of a group, this process's own."""
    from lightning_fabric import Fabric  # here, since it takes seconds, and predicting does without

    # It says at every training, of which a study may have a hundred, what the study says already.
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    precision = fastest() if precision == "auto" else precision
    if group.size > 1:
        from rdfc_core.data_parallel import device_in

        return device_in(group, precision)
    return Fabric(accelerator="auto", devices=1, precision=precision)


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
