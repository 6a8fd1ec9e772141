"""What every training loop has in common: seeds, devices, batches of equal size, optimisers."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rdfc_core.settings import Precision, TrainingSettings

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Weights and dropout, which torch draws from its global generator, follow the seed here."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def device_for(precision: Precision) -> Fabric:
    """The accelerator of this machine, or its processor."""
    from lightning_fabric import Fabric  # here, since it takes seconds, and predicting does without

    # It says at every training, of which a study may have a hundred, what the study says already.
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    return Fabric(accelerator="auto", devices=1, precision=precision)


def batches(cases: int, batch_size: int, generator: torch.Generator) -> Sequence[Tensor]:
    """The numbers 0 … cases − 1 in random order, cut into batches of nearly equal size.

    A last batch of one case would break batch normalisation, so that none has fewer than two.
    """
    order = torch.randperm(cases, generator=generator)
    return order.tensor_split(max(1, min(math.ceil(cases / batch_size), cases // 2)))


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
