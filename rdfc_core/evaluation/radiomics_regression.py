"""Conventional radiomics of numbers: select features, then a linear SVR; all by training cases."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation.calibration import Fold
from rdfc_core.evaluation.conventional_radiomics import (
    SELECTED,
    non_empty_selection,
    selected_features,
)
from rdfc_core.evaluation.losses import mean_and_scale
from rdfc_core.evaluation.number_folds import number_folds

GRID = {"select__estimator__alpha": (0.01, 0.03, 0.1), "predict__C": (0.03, 0.1, 0.3, 1.0)}
FALLBACK = {"select__estimator__alpha": 0.03, "predict__C": 0.1}
"""Where nothing can be held back to choose by."""


class RadiomicsRegression:
    """Scaler → the 300 best by F → lasso that selects → linear SVR, on standardised numbers.

    The counterpart of `ConventionalRadiomics`. The two penalties are chosen by mean absolute error
    over inner folds by patient.

    Args:
        folds: Inner folds.
        seed: Decides the folds, and the order in which the solver goes through the cases.
    """

    def __init__(self, folds: int, seed: int) -> None:
        self.folds, self.seed = folds, seed
        self.chosen: dict[str, float] = dict(FALLBACK)
        self.pipeline: Any = None
        self.mean, self.scale = 0.0, 1.0

    def fit(
        self, table: NDArray[np.float64], truth: NDArray[np.float64], patients: Sequence[str]
    ) -> None:
        """Learn from N training cases.

        Args:
            table: (N, F) features as they were measured; NaN where one is missing.
            truth: (N,) numbers.
            patients: Their patients, whom inner folds never divide.
        """
        self.mean, self.scale = mean_and_scale(truth)
        targets = (truth - self.mean) / self.scale
        folds = number_folds(truth, patients, self.folds, self.seed)
        with warnings.catch_warnings():
            # As of `ConventionalRadiomics`: slow penalties lose by their score.
            warnings.simplefilter("ignore")
            if folds:
                self.chosen = self._choose(table, targets, folds)
            self.pipeline = self._pipeline(self.chosen).fit(table, targets)

    def predict(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Numbers of N cases, (N, 1)."""
        said = np.asarray(self.pipeline.predict(table), np.float64)
        return (self.mean + self.scale * said)[:, None]

    def linear(
        self,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """The fitted pipeline as one linear map.

        Returns:
            Weights (1, F) and bias (1,), and what stands for a missing feature, (F,).
        """
        fill, kept, mean, scale = selected_features(self.pipeline)
        svr = self.pipeline.named_steps["predict"]
        own = self.scale * svr.coef_ / scale
        weight = np.zeros((1, len(fill)))
        weight[0, kept] = own
        intercept = float(np.ravel(svr.intercept_)[0])
        bias = np.array([self.mean + self.scale * intercept - own @ mean], np.float64)
        return weight, bias, fill

    def _choose(
        self, table: NDArray[np.float64], targets: NDArray[np.float64], folds: Sequence[Fold]
    ) -> dict[str, float]:
        """The penalties of the least mean absolute error."""
        from sklearn.model_selection import GridSearchCV

        grid = {name: list(values) for name, values in GRID.items()}
        scoring = "neg_mean_absolute_error"
        search = GridSearchCV(
            self._pipeline(FALLBACK), grid, scoring=scoring, cv=list(folds), refit=False
        )
        return dict(search.fit(table, targets).best_params_)

    def _pipeline(self, options: dict[str, float]) -> Any:
        from sklearn.feature_selection import (
            SelectKBest,
            VarianceThreshold,
            f_regression,
        )
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import Lasso
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import LinearSVR

        steps = [
            ("fill", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("vary", VarianceThreshold()),
            ("scale", StandardScaler(copy=False)),  # of what the step before has copied
            ("rank", SelectKBest(f_regression, k=SELECTED)),
            ("select", non_empty_selection(Lasso(max_iter=2000))),
            ("predict", LinearSVR(epsilon=0.1, max_iter=5000, random_state=self.seed)),
        ]
        return Pipeline(steps).set_params(**options)
