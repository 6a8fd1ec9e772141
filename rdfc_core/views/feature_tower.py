"""The network of the view of handcrafted features."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from rdfc_core.interfaces import Tower
from rdfc_core.views.options import FeatureViewConfig


class FeatureTower(Tower):
    """Fully connected layers, (B, F) → (B, width). Source: Zhao & Yang 2021, Sect. 2.3."""

    def __init__(self, features: int, config: FeatureViewConfig) -> None:
        super().__init__()
        widths = [features] + [config.width] * config.layers
        for place, (inputs, outputs) in enumerate(itertools.pairwise(widths), start=1):
            block = nn.Sequential(
                nn.Linear(inputs, outputs),
                nn.BatchNorm1d(outputs),
                nn.ReLU(),
                nn.Dropout(config.dropout),
            )
            self.add_module(f"layer{place}", block)
        self.out_features = config.width

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """(B, F) → (B, width)."""
        for block in self.children():
            batch = block(batch)
        return batch
