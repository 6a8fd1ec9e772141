"""The optimisers that networks are trained by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from rdfc_core.config.training_parts import part_config
from rdfc_core.config.training_settings import TrainingSettings
from rdfc_core.contract.optimizers import require_groups
from rdfc_core.interfaces import Optimizer
from rdfc_core.plugin.attribution import held_to_contract
from rdfc_core.plugin.registry import installed
from rdfc_core.training.part_options import AdamWConfig, SGDConfig


class SGD(Optimizer):
    """Stochastic gradient descent with momentum."""

    def __init__(self, config: SGDConfig) -> None:
        self.config = config

    def build(
        self, groups: Sequence[Mapping[str, Any]], learning_rate: float
    ) -> torch.optim.Optimizer:
        """As torch has it."""
        momentum = self.config.momentum
        return torch.optim.SGD(
            [dict(group) for group in groups],
            lr=learning_rate,
            momentum=momentum,
            weight_decay=self.config.weight_decay,
            nesterov=self.config.nesterov and momentum > 0,  # without momentum it is the same
        )


class AdamW(Optimizer):
    """Adam with decoupled weight decay.

    Source: Loshchilov & Hutter 2019.
    """

    def __init__(self, config: AdamWConfig) -> None:
        self.config = config

    def build(
        self, groups: Sequence[Mapping[str, Any]], learning_rate: float
    ) -> torch.optim.Optimizer:
        """As torch has it."""
        # fused: one pass over the weights, a third of the time (SGD gains nothing by it).
        return torch.optim.AdamW(
            [dict(group) for group in groups],
            lr=learning_rate,
            weight_decay=self.config.weight_decay,
            fused=True,
        )


def optimizer_for(
    groups: Sequence[Mapping[str, Any]], settings: TrainingSettings
) -> torch.optim.Optimizer:
    """The optimiser that the settings name.

    Args:
        groups: ``params`` of each group, and ``lr`` where it is not that of the settings.
        settings: Name the optimiser, its rate and its options.

    Raises:
        PluginError: If the component cannot be loaded, or makes no optimiser of these groups.
    """
    registry, part = installed(), settings.optimizer
    config = part_config("optimizer", part, settings, registry, "optimizer")
    maker: Optimizer = registry.get("optimizer", part.name).build(config)
    with held_to_contract(maker):
        made = maker.build(groups, settings.learning_rate)
        require_groups(made, groups, settings.learning_rate, type(maker).__name__)
    return made


def set_learning_rates(
    optimizer: torch.optim.Optimizer, peaks: Sequence[float], factor: float
) -> None:
    """Every group's learning rate: the factor on its peak."""
    for group, peak in zip(optimizer.param_groups, peaks, strict=True):
        group["lr"] = peak * factor
