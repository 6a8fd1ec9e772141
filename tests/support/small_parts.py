"""Small real components for the tests of core, and small real data to use them on.

Importable by name, so that worker processes can load them, too.
"""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field
from torch import nn

from rdfc_core import DataError
from rdfc_core.case import Tumour
from rdfc_core.interfaces import ImageEncoder, Prepared, Tower, View
from tests.support.small_preparers import GreyPreparer, SmallConfig


class SmallCnnConfig(SmallConfig):
    width: int = Field(8, ge=1, description="Channels of the last convolution.")


class SmallCnn(ImageEncoder):
    """(B, C, H, W) → (B, width)."""

    def __init__(self, config: SmallCnnConfig) -> None:
        self.config = config

    def build(self, channels: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(channels, 8, 5, stride=2, padding=2),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, self.config.width, 3, padding=1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )


class StartedCnnConfig(SmallCnnConfig):
    start: float | None = Field(None, description="What published weights would be: all alike.")


class StartedCnn(SmallCnn):
    """The same, which may begin with weights that are given."""

    config: StartedCnnConfig

    def build(self, channels: int) -> nn.Module:
        network = self.blank(channels)
        if self.config.start is not None:
            for module in network.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.constant_(module.weight, self.config.start)
        return network

    def blank(self, channels: int) -> nn.Module:
        return super().build(channels)


class SmallVolumeCnn(ImageEncoder):
    """(B, C, Z, H, W) → (B, width)."""

    spatial_dims = 3

    def __init__(self, config: SmallCnnConfig) -> None:
        self.config = config

    def build(self, channels: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv3d(channels, 4, 3, padding=1),
            nn.ReLU(),
            nn.Conv3d(4, self.config.width, 3, padding=1),
            nn.AdaptiveAvgPool3d(1),
            nn.Flatten(),
        )


HELD_AFTER = "RDFC_TEST_HELD_AFTER"
"""Environment variable: so many batches a `GreyView` augments, and then holds the training."""


class GreyViewConfig(SmallConfig):
    bins: int = Field(16, ge=2, description="Bins of the histogram.")


class GreyTower(Tower):
    def __init__(self, bins: int) -> None:
        super().__init__()
        self.layer = nn.Sequential(nn.Linear(bins, 16), nn.BatchNorm1d(16), nn.ReLU())
        self.out_features = 16

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.layer(batch)
        return features


class GreyView(View):
    """A view that is neither of core's two: shares of grey values over the image's range."""

    def __init__(self, config: GreyViewConfig) -> None:
        self.config = config
        self._mean = np.zeros(config.bins)
        self._left = int(os.environ.get(HELD_AFTER, -1))

    def preparer(self) -> GreyPreparer:
        return GreyPreparer(self.config.bins)

    def recipe(self) -> dict[str, Any]:
        return self.preparer().recipe()

    def prepare(self, tumour: Tumour) -> Prepared:
        return self.preparer().prepare(tumour)

    def fit(self, prepared: Sequence[Prepared]) -> None:
        self._mean = np.mean([one.array for one in prepared], axis=0)

    def collate(self, prepared: Sequence[Prepared]) -> torch.Tensor:
        rows = np.array([one.array - self._mean for one in prepared], np.float32)
        return torch.from_numpy(rows.reshape(-1, self.config.bins))

    def augment(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        if self._left == 0:
            time.sleep(600)
        self._left -= 1
        return batch + 0.01 * torch.randn(batch.shape, generator=generator).to(batch.device)

    def tower(self) -> Tower:
        return GreyTower(self.config.bins)

    def state(self) -> dict[str, NDArray[Any]]:
        return {"mean": self._mean}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        self._mean = np.asarray(state["mean"], np.float64).reshape(self.config.bins)


class TokenViewConfig(SmallConfig):
    width: int = Field(8, ge=1, description="Width of the tower.")


class TokenTower(Tower):
    """The mean of what one layer makes of each real token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(3, width)
        self.out_features = width

    def forward(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        real = batch["real"][..., None].to(batch["tokens"].dtype)
        seen = torch.relu(self.layer(batch["tokens"])) * real
        return seen.sum(dim=1) / real.sum(dim=1).clamp(min=1)


class TokenView(View):
    """A case as tokens, one a row of the tumour's box: as many as it has rows."""

    def __init__(self, config: TokenViewConfig) -> None:
        self.config = config
        self._longest = 0

    def recipe(self) -> dict[str, Any]:
        return {"view": "tokens", "version": 1}

    def prepare(self, tumour: Tumour) -> Prepared:
        part = tumour.crop()
        grey = part.image.array.reshape(len(part.mask), -1).astype(np.float64) / 255
        inside = part.mask.reshape(len(part.mask), -1)
        rows = [
            (g[m].mean(), g[m].std(), m.mean())
            for g, m in zip(grey, inside, strict=True)
            if m.any()
        ]
        return Prepared(np.array(rows))

    def fit(self, prepared: Sequence[Prepared]) -> None:
        if not prepared:
            raise DataError("There is no case to learn the longest of. Add cases.")
        self._longest = max(len(one.array) for one in prepared)

    def collate(self, prepared: Sequence[Prepared]) -> Mapping[str, torch.Tensor]:
        tokens = np.zeros((len(prepared), self._longest, 3), np.float32)
        real = np.zeros((len(prepared), self._longest), bool)
        for row, one in enumerate(prepared):
            kept = one.array[: self._longest]
            tokens[row, : len(kept)], real[row, : len(kept)] = kept, True
        return {"tokens": torch.from_numpy(tokens), "real": torch.from_numpy(real)}

    def augment(
        self, batch: Mapping[str, torch.Tensor], generator: torch.Generator
    ) -> Mapping[str, torch.Tensor]:
        noise = torch.randn(batch["tokens"].shape, generator=generator)
        return {**batch, "tokens": batch["tokens"] + 0.01 * noise.to(batch["tokens"].device)}

    def tower(self) -> Tower:
        return TokenTower(self.config.width)

    def state(self) -> dict[str, NDArray[Any]]:
        return {"longest": np.array([self._longest])}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        self._longest = int(state["longest"][0])


def draw_picture(rng: np.random.Generator, malignant: bool, side: int = 40) -> tuple[Any, Any]:
    """An 8-bit picture with a tumour, and its mask (0 or 255); malignant ones are darker and round.

    Returns:
        Image and mask, (side, side) uint8.
    """
    y, x = np.mgrid[:side, :side]
    row, column = rng.uniform(0.4 * side, 0.6 * side, 2)
    tall = rng.uniform(5, 8)
    wide = tall * (1.0 if malignant else rng.uniform(1.5, 2))
    inside = ((y - row) / tall) ** 2 + ((x - column) / wide) ** 2 <= 1
    grey = rng.normal(150, 12, (side, side)) - inside * (60 if malignant else 35)
    return grey.clip(0, 255).astype(np.uint8), (inside * 255).astype(np.uint8)


def write_pictures(
    folder: Path, count: int = 36, unlabelled: int = 6, seed: int = 0, side: int = 40
) -> Path:
    """A folder of pictures, masks and ``manifest.csv``; of every 6 cases two share a patient."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    rows = []
    for place in range(count):
        malignant = place % 2 == 1
        image, mask = draw_picture(rng, malignant, side)
        name = f"case-{place:03d}"
        Image.fromarray(image).save(folder / "images" / f"{name}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{name}.png")
        patient = f"patient-{place - 2 * (place % 6 == 5):03d}"
        label = "" if place >= count - unlabelled else ("malignant" if malignant else "benign")
        rows.append([name, patient, f"images/{name}.png", f"masks/{name}.png", label])
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["case_id", "patient_id", "image", "mask", "label"], *rows])
    return folder
