"""Metrics of single classes, as they are reported in medicine, and the log loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import StudyError
from rdfc_core.evaluation.metric_options import AtSensitivityConfig, OfClassConfig
from rdfc_core.interfaces import Metric
from rdfc_core.plugin.component import NoOptions

Truth = NDArray[np.int64] | NDArray[np.float64]
Values = NDArray[np.float64]


class OfClass(Metric):
    """A metric of one class against all others."""

    heading: ClassVar[str]

    def __init__(self, config: OfClassConfig) -> None:
        self.config = config
        # The class stands in brackets, cut where it is a long one.
        self.title = f"{self.heading} ({config.positive or '?'})"[:40]

    def set_classes(self, classes: Sequence[str]) -> None:
        """Look up the positive class; which one it is changes the number, so none is assumed."""
        positive = self.config.positive
        if positive is None or positive not in classes:
            what = "has to know its class" if positive is None else f"names {positive!r}"
            raise StudyError(
                f"evaluate.metrics: {self.heading.lower()} {what}. Set its option positive to one "
                f"of: {', '.join(classes)}."
            )
        self.positive = list(classes).index(positive)


class _OfCalls(OfClass):
    """A share of cases by what they are and what they are called: the most probable class."""

    of_called: ClassVar[bool]
    """The share is of the cases that were called so, not of those that are so."""
    negative: ClassVar[bool] = False
    """It is about the other classes."""

    def values(self, truth: Truth, predictions: Values, weights: Values) -> Values:
        """(R,) shares; NaN where there is no case to take a share of."""
        is_so = (truth == self.positive) != self.negative
        called = (predictions.argmax(axis=1) == self.positive) != self.negative
        whole = weights @ (called if self.of_called else is_so).astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(weights @ (is_so & called).astype(np.float64) / whole)


class Sensitivity(_OfCalls):
    """Share of the positive cases that are called positive."""

    heading = "Sensitivity"
    of_called = False


class Specificity(_OfCalls):
    """Share of all other cases that are not called positive."""

    heading = "Specificity"
    of_called = False
    negative = True


class PositivePredictiveValue(_OfCalls):
    """Share of the cases called positive that are so; it depends on how frequent they are."""

    heading = "PPV"
    of_called = True


class NegativePredictiveValue(_OfCalls):
    """Share of the cases not called positive that are not; it depends on how frequent they are."""

    heading = "NPV"
    of_called = True
    negative = True


class SpecificityAtSensitivity(OfClass):
    """The highest specificity of a threshold that finds a given share of the positive cases.

    The threshold is taken on the held-back cases themselves: a point of their ROC curve, and not
    what a threshold that was chosen beforehand would give.
    """

    heading = "Specificity"
    config: AtSensitivityConfig

    def __init__(self, config: AtSensitivityConfig) -> None:
        super().__init__(config)
        self.title = f"Specificity at {100 * config.sensitivity:g} % sensitivity"

    def values(self, truth: Truth, predictions: Values, weights: Values) -> Values:
        """(R,) specificities; NaN without positive, or without other cases."""
        score = -predictions[:, self.positive]
        order = np.argsort(score, kind="stable")
        positive, drawn = (truth == self.positive)[order], weights[:, order]
        firsts = np.flatnonzero(np.diff(score[order], prepend=-np.inf))  # equal scores together
        found, alarms = (
            np.cumsum(np.add.reduceat(drawn * cases, firsts, axis=1), axis=1)
            for cases in (positive, ~positive)
        )
        whole, others = found[:, -1], alarms[:, -1]
        # 1e-9: 9 of 10 cases are 90 %, whatever the rounding.
        enough = found >= (self.config.sensitivity * whole * (1 - 1e-9))[:, None]
        at = enough.argmax(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            specificity = 1 - alarms[np.arange(len(at)), at] / others
        return np.where(whole > 0, specificity, np.nan)


class LogLoss(Metric):
    """Mean of −log of the probability of each case's own class, in nats (negative log-likelihood).

    Probabilities below 2.2e-16 count as that, as in scikit-learn.
    """

    title = "Log loss"
    higher_is_better = False
    bounds = (0.0, math.inf)

    def __init__(self, config: NoOptions) -> None:
        pass

    def values(self, truth: Truth, predictions: Values, weights: Values) -> Values:
        """(R,) in nats; NaN without cases."""
        own = predictions[np.arange(len(truth)), truth.astype(np.int64)]
        surprise = -np.log(np.clip(own, np.finfo(np.float64).eps, 1))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(weights @ surprise / weights.sum(axis=1))
