"""DeLong's test: how sure the difference of two areas under ROC curves on the same cases is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from rdfc_core.evaluation.bootstrap import Prediction


@dataclass(frozen=True)
class Difference:
    """The difference of two methods' AUROC, with its standard error."""

    value: float
    error: float

    @property
    def p(self) -> float:
        """Two-sided, by the normal distribution; NaN where there is no spread to judge by."""
        if self.error == 0:
            return 1.0 if self.value == 0 else math.nan
        return float(2 * norm.sf(abs(self.value) / self.error))

    def interval(self, confidence: float) -> tuple[float, float]:
        """By the normal distribution."""
        half = float(norm.ppf((1 + confidence) / 2)) * self.error
        return self.value - half, self.value + half


def influences(
    positive: NDArray[np.bool_], score: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """The area under a ROC curve, and what each case adds to its error.

    Args:
        positive: (N,).
        score: (N,), higher for positive cases.

    Returns:
        The area θ, and (N,) numbers that sum to 0 and whose squares sum to DeLong's variance:
        (V10 − θ)/√(m(m − 1)) of a positive case and (V01 − θ)/√(n(n − 1)) of a negative one, for m
        and n of them. NaN with fewer than two cases of either kind.

    Source: DeLong et al. 1988; midranks as in Sun & Xu 2014, O(N log N).
    """
    m, n = int(positive.sum()), int((~positive).sum())
    if min(m, n) < 2:
        return math.nan, np.full(len(score), math.nan)
    together = rankdata(score)
    above = (together[positive] - rankdata(score[positive])) / n  # V10: negatives below, ties half
    below = 1 - (together[~positive] - rankdata(score[~positive])) / m  # V01
    area = float(above.mean())
    found = np.zeros(len(score))
    found[positive] = (above - area) / math.sqrt(m * (m - 1))
    found[~positive] = (below - area) / math.sqrt(n * (n - 1))
    return area, found


def delong(a: Sequence[Prediction], b: Sequence[Prediction]) -> Difference:
    """A's AUROC less B's, each the mean over its splits and repetitions.

    Every AUROC is a mean over cases, so that all of it stays a sum over cases: of several classes
    (one-versus-rest), of repetitions, of splits. A patient's share is summed before it is squared,
    so that cases of one patient need not be independent. Of one split, two classes and one case a
    patient this is DeLong's test.

    Args:
        a: One a split and repetition.
        b: On the same cases.

    Source: Sun & Xu 2014; sums by patient as in Obuchowski 1997.
    """
    by_patient: dict[str, float] = {}
    value = 0.0
    for sign, method in ((1.0, a), (-1.0, b)):
        for one in method:
            area, shares = _area(one)
            value += sign * area / len(method)
            for patient, share in zip(one.patients, shares, strict=True):
                by_patient[patient] = by_patient.get(patient, 0.0) + sign * share / len(method)
    variance = float(np.square(list(by_patient.values())).sum())
    # Equal methods differ by rounding alone.
    error = math.sqrt(variance) if math.isnan(variance) or variance > 1e-24 else 0.0
    return Difference(0.0 if abs(value) < 1e-12 else value, error)


def _area(one: Prediction) -> tuple[float, NDArray[np.float64]]:
    classes = one.probabilities.shape[1]
    chosen = [1] if classes == 2 else range(classes)
    found = [influences(one.truth == c, one.probabilities[:, c]) for c in chosen]
    return float(np.mean([f[0] for f in found])), np.mean([f[1] for f in found], axis=0)
