"""A view of its own: a tumour as the quantiles of its grey values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rdfc_core import DataError, Tumour
from rdfc_core.interfaces import Prepared, Tower, View

from .config import ExampleConfig

VERSION = 1
"""Raise this when `Example.prepare` changes: stored results are then made afresh."""


class Example(View):
    """Quantiles of the grey values inside the outline, standardised, and a small tower."""

    def __init__(self, config: ExampleConfig) -> None:
        self.config = config
        self._mean = self._scale = np.zeros(0)

    def recipe(self) -> dict[str, Any]:
        """What determines the result of `prepare`, and nothing more: noise and tower do not."""
        return {"view": "example", "version": VERSION, "quantiles": self.config.quantiles}

    def prepare(self, tumour: Tumour) -> Prepared:
        """The quantiles from the smallest to the largest grey value, (Q,)."""
        values = tumour.image.array[tumour.mask].astype(np.float64)
        return Prepared(np.quantile(values, np.linspace(0, 1, self.config.quantiles)))

    def fit(self, prepared: Sequence[Prepared]) -> None:
        """Mean and standard deviation of each quantile over the given cases.

        Raises:
            DataError: If there is no case.
        """
        if not prepared:
            raise DataError("There is no case to fit the quantiles' scale on.")
        table = np.stack([one.array for one in prepared])
        self._mean = table.mean(axis=0)
        spread = table.std(axis=0)
        self._scale = np.where(spread > 0, spread, 1.0)

    def collate(self, prepared: Sequence[Prepared]) -> torch.Tensor:
        """Standardised quantiles, (N, Q) float32."""
        table = np.stack([one.array for one in prepared])
        return torch.from_numpy(((table - self._mean) / self._scale).astype(np.float32))

    def augment(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """The batch with noise; drawn on the CPU, so that every device sees the same."""
        noise = torch.randn(batch.shape, generator=generator).to(batch.device)
        return batch + self.config.noise * noise

    def tower(self) -> Tower:
        """A new tower with fresh weights."""
        return QuantileTower(self.config.quantiles, self.config.width)

    def state(self) -> dict[str, NDArray[Any]]:
        """Means and scales: they travel with the model, never refitted on test cases."""
        return {"mean": self._mean, "scale": self._scale}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over fitted means and scales."""
        self._mean, self._scale = state["mean"], state["scale"]


class QuantileTower(Tower):
    """Two fully connected layers, (B, Q) → (B, width)."""

    def __init__(self, quantiles: int, width: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(quantiles, width), nn.ReLU())
        self.second = nn.Linear(width, width)
        self.out_features = width

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """(B, Q) → (B, width)."""
        features: torch.Tensor = self.second(self.first(batch))
        return features
