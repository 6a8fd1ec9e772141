"""Tower: the trainable part of a view."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn


class Tower(nn.Module, ABC):
    """The trainable part of a view: a batch of the view's arrays → (B, out_features)."""

    out_features: int
    picture_shape: tuple[int, ...] = ()
    """(C, H, W) or (C, Z, H, W) of the pictures in [0, 1] it takes; empty if it takes none."""

    @abstractmethod
    def forward(self, batch: Any) -> torch.Tensor:
        """(B, …) as `View.collate` and `View.augment` give it → (B, out_features).

        A tensor, or the mapping of tensors that the view's cases are.
        """

    def layer_groups(self) -> Mapping[str, Sequence[nn.Module]]:
        """Named groups of layers from input to output; by default each direct child."""
        return {name: [child] for name, child in self.named_children()}
