"""Classifiers on frozen features: logistic regression, the paper's SGD layer, and neighbours."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.models.head import Head
from rdfc_core.models.linear_model import FeatureTables, LinearModel, joined
from rdfc_core.training.seeding import seeded

ROWS_AT_ONCE = 4096
"""Cases whose mean and spread are taken at a time, so that the working copies stay small."""


class Classifier(Protocol):
    """Learns classes, or numbers, from features."""

    def fit(self, features: FeatureTables, truth: NDArray[Any], classes: int) -> None:
        """Learn from N cases; ``truth`` (N,) holds class indices, or numbers."""

    def predict(self, features: FeatureTables) -> NDArray[np.float64]:
        """Class probabilities, (N, C), or numbers, (N, 1)."""


class LinearProbe(Classifier, Protocol):
    """A classifier that is a linear map, once it is fitted."""

    model: LinearModel


class LogisticProbe:
    """scikit-learn's logistic regression with fixed C on standardised, joined features.

    C is fixed because choosing it by cross-validation on few labels tends to the majority class.

    Args:
        settings: Class weights, and C.
        c: Another C than that of the settings.
        standardise: By the cases it learns from; otherwise features are taken as they are.
    """

    def __init__(
        self, settings: EvaluateSettings, c: float | None = None, standardise: bool = True
    ) -> None:
        self.settings, self.standardise = settings, standardise
        self.c = settings.logistic_c if c is None else c
        self.model: LinearModel

    def fit(self, features: FeatureTables, truth: NDArray[np.int64], classes: int) -> None:
        """Learn from N cases."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        # A table of 20,000 cases takes 160 MB: looked through in parts, and scaled where it lies.
        table = joined(features)
        mean, scale = np.zeros(table.shape[1]), np.ones(table.shape[1])
        if self.standardise:
            scaler = StandardScaler(copy=False)
            for rows in range(0, len(table), ROWS_AT_ONCE):
                scaler.partial_fit(table[rows : rows + ROWS_AT_ONCE])
            mean, scale = scaler.mean_, scaler.scale_
            table = scaler.transform(table)
        balanced = self.settings.class_weight == "balanced"
        regression = LogisticRegression(
            C=self.c,
            class_weight="balanced" if balanced else None,
            max_iter=5000,
        ).fit(table, truth)
        coefficients, intercept = regression.coef_, regression.intercept_
        if len(coefficients) == 1:  # two classes: scikit-learn keeps the difference only
            coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
            intercept = np.concatenate([np.zeros_like(intercept), intercept])
        weight = np.zeros((classes, table.shape[1]))
        bias = np.full(classes, -np.inf)  # a class without a training case is never predicted
        weight[regression.classes_] = coefficients / scale
        bias[regression.classes_] = intercept - (coefficients / scale) @ mean
        self.model = LinearModel(weight, bias, tuple(features))

    def predict(self, features: FeatureTables) -> NDArray[np.float64]:
        """Class probabilities, (N, C)."""
        return self.model.predict(features)


class SgdProbe:
    """The paper's head: a linear layer a view, joined, and a linear layer to the classes.

    No non-linearity stands between them, so the whole is a linear map and saved as one. Embeddings
    of equal width go straight to the classes. Source: Zhao & Yang 2021, Sect. 3.2 and 3.3, and
    their public code.
    """

    def __init__(self, settings: EvaluateSettings, seed: int, direct: bool = False) -> None:
        self.settings, self.seed, self.direct = settings, seed, direct
        self.model: LinearModel

    def fit(self, features: FeatureTables, truth: NDArray[np.int64], classes: int) -> None:
        """Learn from N cases by SGD, the learning rate ÷10 at 70 % of the epochs."""
        epochs, rate = self.settings.sgd_epochs, self.settings.sgd_learning_rate
        inputs = torch.from_numpy(joined(features, np.float32))
        targets = torch.from_numpy(truth)
        widths = [one.shape[1] for one in features.values()]
        with seeded(self.seed):
            head = Head(widths, classes, self.direct)
            optimizer = torch.optim.SGD(head.parameters(), rate, momentum=0.9, weight_decay=1e-4)
            schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [round(0.7 * epochs)])
            weight = None
            if self.settings.class_weight == "balanced":
                weight = class_weights(targets, classes)
            for _ in range(epochs):
                for batch in torch.randperm(len(targets)).split(64):
                    loss = functional.cross_entropy(head(inputs[batch]), targets[batch], weight)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                schedule.step()
        with torch.no_grad():
            bias = head(torch.zeros(1, sum(widths)))
            columns = head(torch.eye(sum(widths))) - bias
        self.model = LinearModel(
            columns.T.double().numpy(), bias[0].double().numpy(), tuple(features)
        )

    def predict(self, features: FeatureTables) -> NDArray[np.float64]:
        """Class probabilities, (N, C)."""
        return self.model.predict(features)


class KNN:
    """The share of each class among the nearest training cases by cosine, weighted by nearness."""

    def __init__(self, settings: EvaluateSettings) -> None:
        self.neighbours = settings.knn_k

    def fit(self, features: FeatureTables, truth: NDArray[np.int64], classes: int) -> None:
        """Remember N cases."""
        from sklearn.neighbors import KNeighborsClassifier

        count = min(self.neighbours, len(truth))
        self._knn = KNeighborsClassifier(count, metric="cosine", weights="distance")
        self._knn.fit(joined(features), truth)
        self._classes = classes

    def predict(self, features: FeatureTables) -> NDArray[np.float64]:
        """Class probabilities, (N, C)."""
        table = joined(features)
        probabilities = np.zeros((len(table), self._classes))
        probabilities[:, self._knn.classes_] = self._knn.predict_proba(table)
        return probabilities


def linear_model(fitted: Classifier) -> LinearModel:
    """What a fitted classifier is as a linear map.

    Raises:
        TypeError: Of neighbours, which are none.
    """
    model = getattr(fitted, "model", None)
    if not isinstance(model, LinearModel):
        raise TypeError("nearest neighbours are no linear map")
    return model


def class_weights(truth: torch.Tensor, classes: int) -> torch.Tensor:
    """Weights by which every class counts alike, (C,), from (N,) class indices."""
    counts = torch.bincount(truth, minlength=classes).clamp(min=1)
    return len(truth) / (classes * counts.float())
