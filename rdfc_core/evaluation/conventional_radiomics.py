"""Conventional radiomics: select features, then a linear classifier; all by the training cases."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from rdfc_core.evaluation.calibration import Fold, inner_folds, out_of_fold, temperature_of

SELECTED = 300
GRID = {"select__estimator__C": (0.03, 0.1, 0.3), "classify__C": (0.03, 0.1, 0.3, 1.0)}
FALLBACK = {"select__estimator__C": 0.3, "classify__C": 0.3}
"""Where a class has a single patient, nothing can be held back to choose by."""


class ConventionalRadiomics:
    """Scaler → the 300 best by ANOVA F → L1 linear SVM that selects → L1 linear SVM.

    The two penalties are chosen by weighted F1 over inner folds by patient. An SVM gives decision
    values, no probabilities: those are their softmax at a temperature which the same folds'
    held-back decisions fit. One factor changes neither the predicted class nor the order of cases,
    where Platt's sigmoid, fitted on the few cases of a small share of labels, can turn both round.

    Args:
        classes: C.
        balanced: Weigh classes by their rarity.
        folds: Inner folds.
        seed: Decides the folds, and the order in which the solver goes through the features.

    Source: Zhao & Yang 2021, Sect. 3.4, and their public code; Guo et al. 2017.
    """

    def __init__(self, classes: int, balanced: bool, folds: int, seed: int) -> None:
        self.classes, self.balanced, self.folds, self.seed = classes, balanced, folds, seed
        self.temperature = 1.0
        self.chosen: dict[str, float] = dict(FALLBACK)
        self.pipeline: Any = None

    def fit(
        self, table: NDArray[np.float64], truth: NDArray[np.int64], patients: Sequence[str]
    ) -> None:
        """Learn from N training cases.

        Args:
            table: (N, F) features as they were measured; NaN where one is missing.
            truth: (N,) class indices.
            patients: Their patients, whom inner folds never divide.
        """
        folds = inner_folds(truth, patients, self.folds, self.seed)
        with warnings.catch_warnings():
            # Penalties so weak that the solver is slow lose by their score; fewer than 300
            # features, and constant ones, are no news.
            warnings.simplefilter("ignore")
            if folds:
                self.chosen = self._choose(table, truth, folds)

                def decide(train: NDArray[np.int64]) -> Any:
                    fitted = self._pipeline(self.chosen).fit(table[train], truth[train])
                    return lambda rows: self._decisions(fitted, table[rows])

                held, decisions = out_of_fold(decide, folds)
                self.temperature = temperature_of(decisions, truth[held])
            self.pipeline = self._pipeline(self.chosen).fit(table, truth)

    def predict(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Class probabilities of N cases, (N, C); 0 for a class without a training case."""
        decisions = self._decisions(self.pipeline, table)
        return np.asarray(softmax(decisions / self.temperature, axis=1))

    def linear(
        self,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """The fitted pipeline as one linear map whose softmax is what `predict` says.

        Returns:
            Weights (C, F) and bias (C,), calibrated; −∞ for a class without a training case. And
            what stands for a missing feature, (F,).
        """
        fill, kept, mean, scale = selected_features(self.pipeline)
        svm = self.pipeline.named_steps["classify"]
        coefficients, intercept = svm.coef_, svm.intercept_
        if len(coefficients) == 1 and len(svm.classes_) == 2:
            coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
            intercept = np.concatenate([np.zeros_like(intercept), intercept])
        weight, bias = np.zeros((self.classes, len(fill))), np.full(self.classes, -np.inf)
        weight[np.ix_(svm.classes_, kept)] = coefficients / scale / self.temperature
        bias[svm.classes_] = (intercept - (coefficients / scale) @ mean) / self.temperature
        return weight, bias, fill

    def _choose(
        self, table: NDArray[np.float64], truth: NDArray[np.int64], folds: Sequence[Fold]
    ) -> dict[str, float]:
        """The penalties of the best mean weighted F1; of equals the strongest."""
        from sklearn.model_selection import GridSearchCV

        grid = {name: list(values) for name, values in GRID.items()}
        search = GridSearchCV(
            self._pipeline(FALLBACK), grid, scoring="f1_weighted", cv=list(folds), refit=False
        )
        return dict(search.fit(table, truth).best_params_)

    def _pipeline(self, options: dict[str, float]) -> Any:
        from sklearn.feature_selection import SelectKBest, VarianceThreshold
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import LinearSVC

        def svm() -> Any:
            weight = "balanced" if self.balanced else None
            return LinearSVC(
                penalty="l1", dual=False, class_weight=weight, max_iter=5000, random_state=self.seed
            )

        steps = [
            ("fill", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("vary", VarianceThreshold()),
            ("scale", StandardScaler(copy=False)),  # of what the step before has copied
            ("rank", SelectKBest(k=SELECTED)),
            ("select", non_empty_selection(svm())),
            ("classify", svm()),
        ]
        return Pipeline(steps).set_params(**options)

    def _decisions(self, pipeline: Any, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Decision values of every class, (N, C); −∞ for a class without a training case."""
        values = pipeline.decision_function(table)
        if values.ndim == 1:  # two classes: scikit-learn gives the second's alone
            values = np.stack([np.zeros(len(values)), values], axis=1)
        found = np.full((len(table), self.classes), -np.inf)
        found[:, pipeline.classes_] = values
        return found


def selected_features(
    pipeline: Any,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """What is left of F features before the last step of a fitted pipeline.

    Returns:
        What stands for a missing feature, (F,); and of the K that were selected their places, means
        and scales, (K,) each.
    """
    step = pipeline.named_steps
    fill = np.nan_to_num(np.asarray(step["fill"].statistics_, np.float64))
    kept = np.arange(len(fill))[step["vary"].get_support()]
    mean, scale = step["scale"].mean_, step["scale"].scale_
    for name in ("rank", "select"):
        chosen = step[name].get_support()
        kept, mean, scale = kept[chosen], mean[chosen], scale[chosen]
    return fill, kept, mean, scale


def non_empty_selection(estimator: Any) -> Any:
    """A step of a pipeline that keeps the features to which an estimator gives a weight.

    A penalty that leaves none selects nothing: all features stay.
    """
    from sklearn.feature_selection import SelectFromModel

    class NonEmptySelection(SelectFromModel):  # type: ignore[misc]
        def _get_support_mask(self) -> Any:
            mask = super()._get_support_mask()
            return mask if mask.any() else ~mask

    return NonEmptySelection(estimator)
