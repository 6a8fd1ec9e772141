"""The F-beta score of one class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_core import StudyError
from rdfc_core.interfaces import Metric

from .config import ExampleConfig


class Example(Metric):
    """F-beta of the positive class, for the class with the highest probability."""

    higher_is_better = True
    bounds = (0.0, 1.0)

    def __init__(self, config: ExampleConfig) -> None:
        self.config = config
        self.title = f"F{config.beta:g} of {config.positive}"[:40]

    def set_classes(self, classes: Sequence[str]) -> None:
        """Look up the positive class."""
        if self.config.positive not in classes:
            raise StudyError(
                f"There is no class {self.config.positive!r}. Set positive to one of: "
                f"{', '.join(classes)}."
            )
        self.positive = list(classes).index(self.config.positive)

    def values(
        self,
        truth: NDArray[np.int64] | NDArray[np.float64],
        predictions: NDArray[np.float64],
        weights: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Of every weighting; NaN where nothing is positive and nothing was called so."""
        called = predictions.argmax(axis=1) == self.positive
        positive = truth == self.positive
        hits, missed, false = (
            weights @ cases.astype(np.float64)
            for cases in (called & positive, ~called & positive, called & ~positive)
        )
        square = self.config.beta**2
        whole = (1 + square) * hits + square * missed + false
        return np.where(whole > 0, (1 + square) * hits / np.maximum(whole, 1), np.nan)
