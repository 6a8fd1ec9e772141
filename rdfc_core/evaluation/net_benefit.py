"""Decision curves: what acting on a probability is worth, at each threshold one might act at.

Source: Vickers & Elkin 2006, "Decision curve analysis".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THRESHOLDS = np.linspace(0.01, 0.99, 99)


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit a case, in true positives.

    Args:
        thresholds: (T,) probabilities at and above which one acts.
        model: (T,), acting on those whom the model says so of.
        everyone: (T,), acting on all cases; acting on none is 0.
    """

    thresholds: NDArray[np.float64]
    model: NDArray[np.float64]
    everyone: NDArray[np.float64]


def decision_curve(
    truth: NDArray[np.bool_],
    probability: NDArray[np.float64],
    thresholds: NDArray[np.float64] = THRESHOLDS,
) -> DecisionCurve:
    """The curve of one class.

    Args:
        truth: (N,), whether the case has the class.
        probability: (N,) that it has.
        thresholds: (T,), each above 0 and below 1.
    """
    acted = probability[None, :] >= thresholds[:, None]
    odds = thresholds / (1 - thresholds)
    cases, share = len(truth), float(truth.mean())
    right = (acted & truth).sum(axis=1) / cases
    wrong = (acted & ~truth).sum(axis=1) / cases
    return DecisionCurve(thresholds, right - wrong * odds, share - (1 - share) * odds)
