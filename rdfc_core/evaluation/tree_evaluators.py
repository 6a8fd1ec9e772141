"""Evaluators on tables that come from scikit-learn, and the control of no look at all."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation.evaluator_options import BoostingConfig, ForestConfig, TreesConfig
from rdfc_core.interfaces import Evaluator, EvaluatorCases, Labels, Predictor
from rdfc_core.plugin.component import NoOptions


class _Learnt:
    """A fitted estimator of scikit-learn; a classifier knows the classes that occurred."""

    def __init__(self, estimator: Any, classes: int) -> None:
        self.estimator, self.classes = estimator, classes

    def predict(self, cases: EvaluatorCases) -> NDArray[np.float64]:
        """(n, C), 0 for a class that no label was of; (n,) numbers in regression."""
        table = cases.table()
        if not self.classes:
            return np.asarray(self.estimator.predict(table), np.float64)
        found = np.zeros((len(cases), self.classes))
        found[:, self.estimator.classes_] = self.estimator.predict_proba(table)
        return found


class OfTrees(Evaluator):
    """Trees on a table; missing features are a branch of their own."""

    tasks = ("classification", "regression")

    def __init__(self, config: TreesConfig) -> None:
        self.config = config
        self.inputs = config.inputs

    @abstractmethod
    def estimator(self, seed: int, classes: int) -> Any:
        """A new estimator of scikit-learn: a classifier, or a regressor without classes."""

    def fit(self, cases: EvaluatorCases, labels: Labels, seed: int) -> Predictor:
        """Fit it to the labels, weighed."""
        estimator = self.estimator(seed, labels.classes)
        estimator.fit(cases.table(), labels.truth, sample_weight=labels.weights)
        return _Learnt(estimator, labels.classes)


class GradientBoosting(OfTrees):
    """Gradient boosting of trees on histograms of each feature (scikit-learn)."""

    config: BoostingConfig

    def __init__(self, config: BoostingConfig) -> None:
        super().__init__(config)

    def estimator(self, seed: int, classes: int) -> Any:
        """All cases train it: to stop early would hold some of few labels back."""
        from sklearn.ensemble import (
            HistGradientBoostingClassifier,
            HistGradientBoostingRegressor,
        )

        kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
        return kind(
            max_iter=self.config.iterations,
            learning_rate=self.config.learning_rate,
            max_leaf_nodes=self.config.leaves,
            min_samples_leaf=self.config.min_leaf,
            l2_regularization=self.config.l2,
            early_stopping=False,
            random_state=seed,
        )


class RandomForest(OfTrees):
    """A forest of trees, each on a resample of the cases (scikit-learn)."""

    config: ForestConfig

    def __init__(self, config: ForestConfig) -> None:
        super().__init__(config)

    def estimator(self, seed: int, classes: int) -> Any:
        """A forest of as many trees as asked for, in this process."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        kind = RandomForestClassifier if classes else RandomForestRegressor
        return kind(self.config.trees, min_samples_leaf=self.config.min_leaf, random_state=seed)


class _Shares:
    """The same for every case."""

    def __init__(self, shares: NDArray[np.float64]) -> None:
        self.shares = shares

    def predict(self, cases: EvaluatorCases) -> NDArray[np.float64]:
        """(n, C)."""
        return np.tile(self.shares, (len(cases), 1))


class ClassFrequencies(Evaluator):
    """Says of every case how frequent the classes are among the labels, and looks at nothing.

    What the Brier score and the log loss of a method have to beat.
    """

    inputs = ()
    role = "control"

    def __init__(self, config: NoOptions) -> None:
        pass

    def fit(self, cases: EvaluatorCases, labels: Labels, seed: int) -> Predictor:
        """Count the labels; rare classes are not weighed up."""
        counts = np.bincount(labels.truth, minlength=labels.classes)
        return _Shares(counts / counts.sum())
