"""A projection head that is widest in its middle."""

from __future__ import annotations

from torch import nn

from rdfc_core.interfaces import Projector

from .config import ExampleConfig


class Example(Projector):
    """Two layers with GELU, on features of mean 0 and variance 1."""

    def __init__(self, config: ExampleConfig) -> None:
        self.config = config

    def build(self, features: int, width: int) -> nn.Module:
        """(B, features) → (B, width)."""
        hidden = self.config.expansion * features
        return nn.Sequential(
            nn.LayerNorm(features), nn.Linear(features, hidden), nn.GELU(), nn.Linear(hidden, width)
        )
