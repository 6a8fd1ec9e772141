"""The nearest mean of a class, among what the pretext has learnt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_core.interfaces import Evaluator, EvaluatorCases, Labels, Predictor

from .config import ExampleConfig


class Means:
    """A unit vector a class, and how cases are compared with it."""

    def __init__(self, means: NDArray[np.float64], seen: NDArray[np.bool_], scale: float) -> None:
        self.means, self.seen, self.scale = means, seen, scale

    def predict(self, cases: EvaluatorCases) -> NDArray[np.float64]:
        """The softmax of the cosines, (n, C); 0 for a class that no label was of."""
        cosines = _unit(cases.table()) @ self.means.T
        scores = np.exp((cosines - 1) / self.scale) * self.seen
        return np.asarray(scores / scores.sum(axis=1, keepdims=True))


class Example(Evaluator):
    """The mean of each class, weighed by the labels' weights."""

    inputs = ("features",)

    def __init__(self, config: ExampleConfig) -> None:
        self.config = config

    def fit(self, cases: EvaluatorCases, labels: Labels, seed: int) -> Predictor:
        """Take the mean of each class; nothing is random."""
        members = np.eye(labels.classes)[labels.truth.astype(np.int64)] * labels.weights[:, None]
        means = _unit(members.T @ _unit(cases.table()))
        return Means(means, members.sum(axis=0) > 0, self.config.temperature)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12))
