"""Models of numbers on frozen features: ridge regression, a layer by SGD, and neighbours."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.evaluation.losses import Huber, mean_and_scale
from rdfc_core.models.head import Head
from rdfc_core.models.linear_model import FeatureTables, LinearModel, joined
from rdfc_core.results.vocabulary import REGRESSION
from rdfc_core.training.seeding import seeded

BATCH = 64


class RidgeProbe:
    """scikit-learn's ridge regression with fixed alpha on standardised, joined features.

    The numbers are standardised, too, and the penalty on each weight is alpha times the number of
    features, so that one alpha means the same for ten features and for a thousand.

    Args:
        settings: Alpha.
        alpha: Another alpha than that of the settings.
        standardise: By the cases it learns from; otherwise features are taken as they are.
    """

    def __init__(
        self, settings: EvaluateSettings, alpha: float | None = None, standardise: bool = True
    ) -> None:
        self.alpha = settings.ridge_alpha if alpha is None else alpha
        self.standardise = standardise
        self.model: LinearModel

    def fit(self, features: FeatureTables, truth: NDArray[np.float64], classes: int) -> None:
        """Learn from N cases; ``truth`` (N,) holds numbers."""
        from sklearn.linear_model import Ridge
        from sklearn.preprocessing import StandardScaler

        table = joined(features)
        mean, scale = np.zeros(table.shape[1]), np.ones(table.shape[1])
        if self.standardise:
            scaler = StandardScaler(copy=False)
            table = scaler.fit_transform(table)
            mean, scale = scaler.mean_, scaler.scale_
        centre, spread = mean_and_scale(truth)
        fitted = Ridge(self.alpha * table.shape[1]).fit(table, (truth - centre) / spread)
        weight = spread * fitted.coef_ / scale
        bias = centre + spread * float(fitted.intercept_) - weight @ mean
        self.model = LinearModel(
            weight[None], np.array([bias], np.float64), tuple(features), REGRESSION
        )

    def predict(self, features: FeatureTables) -> NDArray[np.float64]:
        """Numbers, (N, 1)."""
        return self.model.predict(features)


class SgdRegression:
    """The paper's head with one output, trained by SGD on Huber's loss (see `SgdProbe`)."""

    def __init__(self, settings: EvaluateSettings, seed: int, direct: bool = False) -> None:
        self.settings, self.seed, self.direct = settings, seed, direct
        self.model: LinearModel

    def fit(self, features: FeatureTables, truth: NDArray[np.float64], classes: int) -> None:
        """Learn from N cases by SGD, the learning rate ÷10 at 70 % of the epochs."""
        epochs, rate = self.settings.sgd_epochs, self.settings.sgd_learning_rate
        inputs = torch.from_numpy(joined(features, np.float32))
        loss_of = Huber(truth, classes, balanced=False)
        widths = [one.shape[1] for one in features.values()]
        with seeded(self.seed):
            head = Head(widths, 1, self.direct)
            optimizer = torch.optim.SGD(head.parameters(), rate, momentum=0.9, weight_decay=1e-4)
            schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [round(0.7 * epochs)])
            for _ in range(epochs):
                for batch in torch.randperm(len(truth)).split(BATCH):
                    loss = loss_of.of(head(inputs[batch]), loss_of.targets[batch])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                schedule.step()
        loss_of.end_head(head)
        with torch.no_grad():
            bias = head(torch.zeros(1, sum(widths)))
            columns = head(torch.eye(sum(widths))) - bias
        self.model = LinearModel(
            columns.T.double().numpy(), bias[0].double().numpy(), tuple(features), REGRESSION
        )

    def predict(self, features: FeatureTables) -> NDArray[np.float64]:
        """Numbers, (N, 1)."""
        return self.model.predict(features)


class NeighbourMean:
    """The mean number of the nearest training cases by cosine, weighted by nearness."""

    def __init__(self, settings: EvaluateSettings) -> None:
        self.neighbours = settings.knn_k

    def fit(self, features: FeatureTables, truth: NDArray[np.float64], classes: int) -> None:
        """Remember N cases."""
        from sklearn.neighbors import KNeighborsRegressor

        count = min(self.neighbours, len(truth))
        self._knn = KNeighborsRegressor(count, metric="cosine", weights="distance")
        self._knn.fit(joined(features), truth)

    def predict(self, features: FeatureTables) -> NDArray[np.float64]:
        """Numbers, (N, 1)."""
        return np.asarray(self._knn.predict(joined(features)), np.float64)[:, None]
