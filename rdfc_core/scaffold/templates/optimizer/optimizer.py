"""Lion: every weight moves by the learning rate, in the direction of a mean gradient's sign."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from rdfc_core.interfaces import Optimizer

from .config import ExampleConfig


class Example(Optimizer):
    """Makes a `Lion` of the network's parameters.

    Source: Chen et al. 2023, Alg. 2.
    """

    def __init__(self, config: ExampleConfig) -> None:
        self.config = config

    def build(
        self, groups: Sequence[Mapping[str, Any]], learning_rate: float
    ) -> torch.optim.Optimizer:
        """Groups keep a learning rate of their own."""
        return Lion([dict(group) for group in groups], learning_rate, self.config)


class Lion(torch.optim.Optimizer):
    """Sign descent with momentum and decoupled weight decay."""

    def __init__(
        self, groups: Iterable[dict[str, Any]], learning_rate: float, config: ExampleConfig
    ) -> None:
        # What a step needs stands in the groups, and is saved with the checkpoint.
        super().__init__(groups, {"lr": learning_rate, **config.model_dump()})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every weight that has a gradient; ``lr`` is read anew, since core changes it."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                mean = state.setdefault("mean", torch.zeros_like(weight))
                direction = torch.lerp(weight.grad, mean, group["momentum"]).sign()
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(direction, alpha=-group["lr"])
                mean.lerp_(weight.grad, 1 - group["memory"])
