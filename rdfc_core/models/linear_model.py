"""Classes or numbers from a linear map of features: what is saved with a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import ShapeError
from rdfc_core.models.outputs import OUTPUTS
from rdfc_core.results.vocabulary import CLASSIFICATION, TaskName

FeatureTables = Mapping[str, NDArray[np.float32]]
"""View name → (N, F)."""


class LinearModel:
    """A linear map of the joined views; of classes its softmax.

    Args:
        weight: (C, F) over the joined views in the order of ``views``.
        bias: (C,).
        views: The views that are joined.
        task: What the map gives: logits of C classes, or (C = 1) the number itself.
    """

    def __init__(
        self,
        weight: NDArray[np.float64],
        bias: NDArray[np.float64],
        views: tuple[str, ...],
        task: TaskName = CLASSIFICATION,
    ) -> None:
        self.weight, self.bias, self.views, self.task = weight, bias, views, task

    def predict(self, features: FeatureTables) -> NDArray[np.float64]:
        """Class probabilities, (N, C), or numbers, (N, 1).

        Raises:
            ShapeError: If a view is missing, or they are not as wide as those it learned from.
        """
        widths = [features[view].shape[1] for view in self.views if view in features]
        if len(widths) < len(self.views) or sum(widths) != self.weight.shape[1]:
            there = ", ".join(f"{one.shape[1]} of {view}" for view, one in features.items())
            raise ShapeError(
                f"The classifier was trained on {self.weight.shape[1]} features of "
                f"{', '.join(self.views)}, and there are {there or 'none'}. Train it again."
            )
        logits = joined({view: features[view] for view in self.views}) @ self.weight.T + self.bias
        return OUTPUTS[self.task].of_array(logits)


def joined(features: FeatureTables, dtype: type[Any] = np.float64) -> NDArray[Any]:
    """All views side by side, (N, sum of F)."""
    return np.concatenate(list(features.values()), axis=1, dtype=dtype)
