"""What the last layer of a model says: probabilities of classes, or a number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor

from rdfc_core.models.temperature import tempered
from rdfc_core.results.vocabulary import CLASSIFICATION, REGRESSION, TaskName


class Output(ABC):
    """From (N, C) outputs of a last layer to what is said of N cases."""

    @abstractmethod
    def width(self, classes: Sequence[str]) -> int:
        """C, for these classes."""

    @abstractmethod
    def of_array(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, C) → (N, C)."""

    @abstractmethod
    def of_tensor(self, outputs: Tensor) -> Tensor:
        """(N, C) → (N, C), float64."""

    @abstractmethod
    def tempered(self, said: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
        """What is said at another temperature, (N, C)."""


class Probabilities(Output):
    """The softmax of logits, one a class."""

    def width(self, classes: Sequence[str]) -> int:
        """One a class."""
        return len(classes)

    def of_array(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Softmax of each row."""
        return np.asarray(softmax(outputs, axis=1))

    def of_tensor(self, outputs: Tensor) -> Tensor:
        """Softmax of each row."""
        return torch.softmax(outputs.double(), dim=1)

    def tempered(self, said: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
        """As `rdfc_core.models.temperature.tempered`."""
        return tempered(said, temperature)


class Numbers(Output):
    """One number, in the units of the label."""

    def width(self, classes: Sequence[str]) -> int:
        """One."""
        return 1

    def of_array(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """As it is."""
        return outputs

    def of_tensor(self, outputs: Tensor) -> Tensor:
        """As it is."""
        return outputs.double()

    def tempered(self, said: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
        """As it is: a temperature calibrates probabilities."""
        return said


OUTPUTS: Mapping[TaskName, Output] = {CLASSIFICATION: Probabilities(), REGRESSION: Numbers()}
"""What the models of each task say."""
