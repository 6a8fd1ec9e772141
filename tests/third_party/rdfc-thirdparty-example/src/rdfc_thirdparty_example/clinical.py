"""The view ``clinical``: chosen columns of a case, numbers and categories, through a small tower."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rdfc_core.case import Tumour
from rdfc_core.errors import DataError
from rdfc_core.interfaces import Needs, Prepared, Tower, View
from torch import nn

from rdfc_thirdparty_example.config import ClinicalConfig


class Clinical(View):
    """Numbers standardised, categories one-hot; what is missing is the mean, or no category.

    Scales and categories are those of the pretext cases. It looks at no image.
    """

    def __init__(self, config: ClinicalConfig) -> None:
        self.config = config
        self.needs = Needs(images=(), columns=(*config.numbers, *config.categories))
        self._mean = self._scale = np.zeros(0)
        self._words: dict[str, list[str]] = {}

    def recipe(self) -> dict[str, Any]:
        """Names and roles of the columns; the tower comes later."""
        columns = {"numbers": list(self.config.numbers), "categories": list(self.config.categories)}
        return {"view": "clinical", "version": 1, **columns}

    def prepare(self, tumour: Tumour) -> Prepared:
        """The text of the columns as JSON in UTF-8, (L,) uint8.

        Raises:
            DataError: If a column of numbers holds another text.
        """
        for name in self.config.numbers:
            text = tumour.columns[name]
            try:
                float(text or "nan")
            except ValueError:
                raise DataError(
                    f"the column {name!r} holds {text!r}, which is no number. Correct it, or name "
                    "the column under categories."
                ) from None
        text = json.dumps([tumour.columns[name] for name in self.needs.columns])
        return Prepared(np.frombuffer(text.encode(), np.uint8))

    def fit(self, prepared: Sequence[Prepared]) -> None:
        """Mean and spread of the numbers, and the words of each category.

        Raises:
            DataError: If there is no case.
        """
        if not prepared:
            raise DataError("There is no case to fit the columns on.")
        rows = [_texts(one) for one in prepared]
        table = np.ma.masked_invalid(self._numbers(rows))
        self._mean = np.ma.filled(table.mean(axis=0), 0.0).astype(np.float64)
        spread = np.ma.filled(table.std(axis=0), 0.0).astype(np.float64)
        self._scale = np.where(spread > 0, spread, 1.0)
        first = len(self.config.numbers)
        self._words = {
            name: sorted({row[first + place] for row in rows} - {""})
            for place, name in enumerate(self.config.categories)
        }

    def collate(self, prepared: Sequence[Prepared]) -> torch.Tensor:
        """(N, F) float32: standardised numbers, whether each is missing, and a column a word."""
        rows = [_texts(one) for one in prepared]
        numbers = self._numbers(rows)
        missing = np.isnan(numbers)
        parts = [np.where(missing, 0.0, (numbers - self._mean) / self._scale), missing]
        first = len(self.config.numbers)
        for place, words in enumerate(self._words.values()):
            said = np.array([row[first + place] for row in rows], dtype=object)
            parts += [(said == word)[:, None] for word in words]
        table = np.concatenate(parts, axis=1).astype(np.float32)
        return torch.from_numpy(table.reshape(len(rows), self._width))

    def augment(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Noise on all of it."""
        noise = torch.randn(batch.shape, generator=generator)
        return batch + self.config.noise * noise.to(batch.device)

    def tower(self) -> Tower:
        """A new tower for the fitted columns."""
        return ClinicalTower(self._width, self.config.width)

    def state(self) -> dict[str, NDArray[Any]]:
        """Means, spreads and words."""
        words = np.frombuffer(json.dumps(self._words).encode(), np.uint8)
        return {"mean": self._mean, "scale": self._scale, "words": words}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over means, spreads and words."""
        self._mean, self._scale = state["mean"], state["scale"]
        self._words = json.loads(np.asarray(state["words"], np.uint8).tobytes())

    @property
    def _width(self) -> int:
        return 2 * len(self.config.numbers) + sum(map(len, self._words.values()))

    def _numbers(self, rows: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        count = len(self.config.numbers)
        found = [[float(text or "nan") for text in row[:count]] for row in rows]
        return np.array(found, np.float64).reshape(len(rows), count)


def _texts(prepared: Prepared) -> list[str]:
    texts: list[str] = json.loads(prepared.array.tobytes())
    return texts


class ClinicalTower(Tower):
    """One hidden layer, (B, F) → (B, width)."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(features, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )
        self.out_features = width

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """(B, F) → (B, width)."""
        features: torch.Tensor = self.layers(batch)
        return features
