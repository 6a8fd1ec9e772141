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
    """A fitted classifier of scikit-learn, which knows the classes that occurred."""

    def __init__(self, classifier: Any, classes: int) -> None:
        self.classifier, self.classes = classifier, classes

    def predict(self, cases: EvaluatorCases) -> NDArray[np.float64]:
        """(n, C): 0 for a class that no label was of."""
        found = np.zeros((len(cases), self.classes))
        found[:, self.classifier.classes_] = self.classifier.predict_proba(cases.table())
        return found


class OfTrees(Evaluator):
    """Trees on a table; missing features are a branch of their own."""

    def __init__(self, config: TreesConfig) -> None:
        self.config = config
        self.inputs = config.inputs

    @abstractmethod
    def classifier(self, seed: int) -> Any:
        """A new classifier of scikit-learn."""

    def fit(self, cases: EvaluatorCases, labels: Labels, seed: int) -> Predictor:
        """Fit it to the labels, weighed."""
        classifier = self.classifier(seed)
        classifier.fit(cases.table(), labels.truth, sample_weight=labels.weights)
        return _Learnt(classifier, labels.classes)


class GradientBoosting(OfTrees):
    """Gradient boosting of trees on histograms of each feature (scikit-learn)."""

    config: BoostingConfig

    def __init__(self, config: BoostingConfig) -> None:
        super().__init__(config)

    def classifier(self, seed: int) -> Any:
        """All cases train it: to stop early would hold some of few labels back."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
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

    def classifier(self, seed: int) -> Any:
        """A forest of as many trees as asked for, in this process."""
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(
            self.config.trees, min_samples_leaf=self.config.min_leaf, random_state=seed
        )


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
