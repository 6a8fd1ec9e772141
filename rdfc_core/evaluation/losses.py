"""What networks that labels train minimise: cross-entropy, or of numbers Huber's loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from rdfc_core.evaluation.classifiers import class_weights
from rdfc_core.models.head import Head
from rdfc_core.results.vocabulary import CLASSIFICATION, REGRESSION, TaskName


class TargetLoss(ABC):
    """A loss, on the targets of one training."""

    targets: Tensor
    """(N, …), what the network is to say."""

    @abstractmethod
    def of(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean over a batch: outputs (B, C), float32, and their targets."""

    def begin_head(
        self, head: Head, weight: NDArray[np.float64], bias: NDArray[np.float64]
    ) -> None:
        """Give a head a linear map, (C, F) and (C,), that says what is to be said."""
        head.begin_with(weight, bias)

    def end_head(self, head: Head) -> None:  # noqa: B027  nothing by default
        """Make a trained head say numbers in the units of the label."""

    def to(self, device: torch.device) -> None:
        """Where the network is."""
        self.targets = self.targets.to(device)


class CrossEntropy(TargetLoss):
    """Of the softmax of logits.

    Args:
        truth: (N,) class indices.
        classes: C.
        balanced: Weigh classes by their rarity.
    """

    def __init__(self, truth: NDArray[np.int64], classes: int, balanced: bool) -> None:
        self.targets = torch.from_numpy(truth)
        self.weight = class_weights(self.targets, classes) if balanced else None

    def of(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """In nats."""
        return functional.cross_entropy(outputs, targets, self.weight)

    def to(self, device: torch.device) -> None:
        """Targets and weights."""
        super().to(device)
        self.weight = None if self.weight is None else self.weight.to(device)


class Huber(TargetLoss):
    """Of standardised numbers: squared up to one standard deviation, linear beyond.

    A few labels that are far off then do not decide where all others go. While it learns, a head
    gives standardised numbers; in the end their scale goes into its last layer.

    Args:
        truth: (N,) numbers.
        classes: 1; as of `CrossEntropy`.
        balanced: Of no effect.

    Source: Huber 1964.
    """

    def __init__(self, truth: NDArray[np.float64], classes: int, balanced: bool) -> None:
        self.mean, self.scale = mean_and_scale(truth)
        self.targets = torch.from_numpy((truth - self.mean) / self.scale).float()[:, None]

    def of(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """In squared standard deviations, halved."""
        return functional.huber_loss(outputs, targets)

    def begin_head(
        self, head: Head, weight: NDArray[np.float64], bias: NDArray[np.float64]
    ) -> None:
        """The map gives numbers as labels are; the head begins with standardised ones."""
        head.begin_with(weight / self.scale, (bias - self.mean) / self.scale)

    def end_head(self, head: Head) -> None:
        """Scale and mean go into the last layer."""
        with torch.no_grad():
            head.classes.weight.mul_(self.scale)
            head.classes.bias.mul_(self.scale).add_(self.mean)


LOSSES: Mapping[TaskName, Callable[[NDArray[np.generic], int, bool], TargetLoss]] = {
    CLASSIFICATION: CrossEntropy,  # type: ignore[dict-item]
    REGRESSION: Huber,  # type: ignore[dict-item]
}
"""Of each task: from truth, C, and whether classes are balanced, to the loss."""


def mean_and_scale(truth: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation of numbers; 1 where these do not vary."""
    return float(truth.mean()), float(truth.std()) or 1.0
