"""What is learnt and judged under a study's task: one object a task.

Where labels are read and cases divided, a task is a `rdfc_core.data.targets.Targets`; what models
say of a case is a `rdfc_core.models.outputs.Output`; what networks minimise, a
`rdfc_core.evaluation.losses.TargetLoss`. All of them are looked up by the task's name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.data.targets import CLASSES, NUMBERS, Targets
from rdfc_core.evaluation.calibration import Fold, inner_folds, temperature_of
from rdfc_core.evaluation.classifiers import KNN, Classifier, LinearProbe, LogisticProbe, SgdProbe
from rdfc_core.evaluation.conventional_radiomics import ConventionalRadiomics
from rdfc_core.evaluation.number_folds import number_folds
from rdfc_core.evaluation.number_models import NeighbourMean, RidgeProbe, SgdRegression
from rdfc_core.evaluation.radiomics_regression import RadiomicsRegression
from rdfc_core.models.outputs import OUTPUTS, Output
from rdfc_core.results import vocabulary
from rdfc_core.results.vocabulary import CLASSIFICATION, REGRESSION, TaskName

LEAST = 1e-6
"""Least probability that counts: one case that is ruled out does not decide for all others."""


class RadiomicsMethod(Protocol):
    """Conventional radiomics: a pipeline on features as they were measured."""

    def fit(self, table: Any, truth: NDArray[Any], patients: Sequence[str]) -> None:
        """Learn from N cases."""

    def predict(self, table: Any) -> NDArray[np.float64]:
        """What is said of N cases, (N, C)."""

    def linear(
        self,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Weights, bias, and what stands for missing features."""


class EvaluationTask(ABC):
    """How labels are learnt, chosen by and judged.

    Attributes:
        targets: What labels are.
        linear: The linear probe that stands where a study names none.
        svm: How tables call the classifier of conventional radiomics.
        deciding: The metric that heads the report; more is better.
        importance: The metric whose fall says what features contribute; more is better.
        loss: What candidates are ranked by, in words.
        nothing_held_back: Why candidates could not be ranked, of one choice.
        too_few_labels: The same, of several.
    """

    name: TaskName
    targets: Targets
    linear: str
    svm: str
    deciding: str
    importance: str
    loss: str
    nothing_held_back: str
    too_few_labels: str

    @property
    def output(self) -> Output:
        """What its models say."""
        return OUTPUTS[self.name]

    @abstractmethod
    def classifier(
        self, name: str, settings: EvaluateSettings, seed: int, layer: str
    ) -> Classifier:
        """A fresh classifier by its name in a study, for tower features or embeddings."""

    @abstractmethod
    def probe(
        self, settings: EvaluateSettings, penalty: float | None = None, standardise: bool = True
    ) -> LinearProbe:
        """A fresh linear probe with an optimum, at another penalty if one is given."""

    @abstractmethod
    def radiomics(self, settings: EvaluateSettings, classes: int, seed: int) -> RadiomicsMethod:
        """Conventional radiomics, untrained."""

    @abstractmethod
    def folds(
        self, truth: NDArray[Any], patients: Sequence[str], folds: int, seed: int
    ) -> list[Fold]:
        """Folds inside the training part, by patient; none where nothing can be held back."""

    @abstractmethod
    def temperature(self, said: NDArray[np.float64], truth: NDArray[Any]) -> float:
        """What calibrates what was said, (N, C), of held-back cases."""

    @abstractmethod
    def losses(self, said: NDArray[np.float64], truth: NDArray[Any]) -> NDArray[np.float64]:
        """Loss of each case, (N,); less is better."""

    @abstractmethod
    def flat(self, said: NDArray[np.float64]) -> NDArray[np.float64]:
        """What models say, (N, C), as metrics take it: (N, C) probabilities, or (N,) numbers."""


class Classification(EvaluationTask):
    """Classes are told apart."""

    name = CLASSIFICATION
    targets = CLASSES
    linear, svm = vocabulary.LOGISTIC, vocabulary.SVM
    deciding, importance = vocabulary.F1_WEIGHTED, vocabulary.AUROC
    loss = "log loss"
    nothing_held_back = "a class has a single labelled patient"
    too_few_labels = "a class had a single labelled patient"

    def classifier(
        self, name: str, settings: EvaluateSettings, seed: int, layer: str
    ) -> Classifier:
        """Logistic regression, the paper's layer, or neighbours."""
        if name == vocabulary.SGD:
            return SgdProbe(settings, seed, direct=layer == vocabulary.EMBEDDING)
        return KNN(settings) if name == vocabulary.KNN else LogisticProbe(settings)

    def probe(
        self, settings: EvaluateSettings, penalty: float | None = None, standardise: bool = True
    ) -> LinearProbe:
        """Logistic regression; the penalty is C."""
        return LogisticProbe(settings, penalty, standardise)

    def radiomics(self, settings: EvaluateSettings, classes: int, seed: int) -> RadiomicsMethod:
        """A linear SVM."""
        balanced = settings.class_weight == "balanced"
        return ConventionalRadiomics(classes, balanced, settings.inner_folds, seed)

    def folds(
        self, truth: NDArray[Any], patients: Sequence[str], folds: int, seed: int
    ) -> list[Fold]:
        """Stratified by class."""
        return inner_folds(truth, patients, folds, seed)

    def temperature(self, said: NDArray[np.float64], truth: NDArray[Any]) -> float:
        """By which log-probabilities are divided."""
        return temperature_of(logarithm(said), truth)

    def losses(self, said: NDArray[np.float64], truth: NDArray[Any]) -> NDArray[np.float64]:
        """Log loss, in nats."""
        own = said[np.arange(len(truth)), truth]
        return np.asarray(-np.log(np.maximum(own, LEAST)))

    def flat(self, said: NDArray[np.float64]) -> NDArray[np.float64]:
        """As it is."""
        return said


class Regression(EvaluationTask):
    """A number is predicted."""

    name = REGRESSION
    targets = NUMBERS
    linear, svm = vocabulary.RIDGE, vocabulary.SVR
    deciding = importance = vocabulary.R2
    loss = "absolute error"
    nothing_held_back = "there are fewer than four labelled patients"
    too_few_labels = "there were fewer than four labelled patients"

    def classifier(
        self, name: str, settings: EvaluateSettings, seed: int, layer: str
    ) -> Classifier:
        """Ridge regression, the paper's layer with one output, or neighbours."""
        if name == vocabulary.SGD:
            return SgdRegression(settings, seed, direct=layer == vocabulary.EMBEDDING)
        return NeighbourMean(settings) if name == vocabulary.KNN else RidgeProbe(settings)

    def probe(
        self, settings: EvaluateSettings, penalty: float | None = None, standardise: bool = True
    ) -> LinearProbe:
        """Ridge regression; the penalty is alpha."""
        return RidgeProbe(settings, penalty, standardise)

    def radiomics(self, settings: EvaluateSettings, classes: int, seed: int) -> RadiomicsMethod:
        """A linear SVR."""
        return RadiomicsRegression(settings.inner_folds, seed)

    def folds(
        self, truth: NDArray[Any], patients: Sequence[str], folds: int, seed: int
    ) -> list[Fold]:
        """Stratified by quantiles."""
        return number_folds(truth, patients, folds, seed)

    def temperature(self, said: NDArray[np.float64], truth: NDArray[Any]) -> float:
        """None: 1."""
        return 1.0

    def losses(self, said: NDArray[np.float64], truth: NDArray[Any]) -> NDArray[np.float64]:
        """Absolute error, in the units of the label."""
        return np.asarray(np.abs(said[:, 0] - truth))

    def flat(self, said: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, 1) → (N,)."""
        return said[:, 0]


TASKS: Mapping[TaskName, EvaluationTask] = {
    CLASSIFICATION: Classification(),
    REGRESSION: Regression(),
}
"""Every task by its name in a study."""


def task_of(settings: EvaluateSettings) -> EvaluationTask:
    """The task that evaluation is for."""
    return TASKS[settings.task]


def logarithm(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-probabilities, finite."""
    return np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
