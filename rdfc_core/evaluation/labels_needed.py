"""How many labels another method needs to be as good: what few labels are worth, in labels."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import isotonic_regression

from rdfc_core.evaluation.bootstrap import Prediction, of_drawn_repetitions, resampled
from rdfc_core.evaluation.linear_probe import Variant
from rdfc_core.results.vocabulary import (
    COLUMNS_LOGISTIC,
    COLUMNS_RIDGE,
    F1_WEIGHTED,
    HYBRID_FINETUNE,
    HYBRID_SCRATCH,
    LABEL_EFFICIENCY,
    RADIOMICS,
    RADIOMICS_LOGISTIC,
    RADIOMICS_RIDGE,
    RESNET_SCRATCH,
    SELECTED,
    SUPERVISED,
)

PRETRAINED = (HYBRID_FINETUNE, SELECTED)
"""Methods whose labels are counted."""
REFERENCES = (
    HYBRID_SCRATCH,
    RESNET_SCRATCH,
    RADIOMICS_LOGISTIC,
    RADIOMICS_RIDGE,
    RADIOMICS,
    COLUMNS_LOGISTIC,
    COLUMNS_RIDGE,
)
"""Methods that are asked how many they need."""

Curve = dict[float, NDArray[np.float64]]
"""Share of the labels → (1 + resamples,): the metric itself, then in each resample."""


@dataclass(frozen=True)
class NeededShare:
    """The share of the labels with which ``reference`` does what ``method`` does with its own.

    Args:
        method: Such as ``hybrid-finetune``.
        label_fraction: Its share of the labels.
        reference: Such as ``hybrid-scratch``.
        share: What the reference needs; infinite where all labels are not enough.
        low: Lower end of its interval.
        high: Its upper end.
        least: The reference's smallest share that was tried: values there mean "at most".
    """

    method: str
    label_fraction: float
    reference: str
    share: float
    low: float
    high: float
    least: float


def labels_needed(
    judged: Mapping[Variant, Sequence[Prediction]],
    resamples: int,
    confidence: float,
    seed: int,
    metric: str = F1_WEIGHTED,
) -> list[NeededShare]:
    """For each pretrained method and share of the labels: what each reference needs.

    A reference's curve over the logarithm of the share is made non-decreasing (isotonic
    regression) and read backwards between the shares that were tried, anew in every resample of
    patients and draws of labels, the same for both methods.

    Args:
        judged: Of each method the variant that was named beforehand, at every share.
        resamples: Number of bootstrap resamples.
        confidence: Coverage of the intervals.
        seed: Decides the resamples.
        metric: By which methods are equally good; more is better.
    """
    found: dict[str, dict[float, Sequence[Prediction]]] = defaultdict(dict)
    for table in (LABEL_EFFICIENCY, SUPERVISED):  # all labels may stand in both
        for variant, predictions in judged.items():
            if variant.table == table:
                found[variant.method].setdefault(variant.label_fraction, predictions)
    wanted = [name for name in (*PRETRAINED, *REFERENCES) if len(found.get(name, ())) > 1]
    if not set(wanted) & set(PRETRAINED) or not set(wanted) & set(REFERENCES):
        return []
    curves = {name: curve(found[name], resamples, seed, metric) for name in wanted}
    told = []
    for reference in (name for name in REFERENCES if name in curves):
        reading = Reading(curves[reference])
        for method in (name for name in PRETRAINED if name in curves):
            for share, target in sorted(curves[method].items()):
                needed = reading.share_of(target)
                low, high = interval_of_shares(needed, confidence)
                told.append(
                    NeededShare(
                        method, share, reference, float(needed[0]), low, high, reading.least
                    )
                )
    return told


def curve(
    found: Mapping[float, Sequence[Prediction]], resamples: int, seed: int, metric: str
) -> Curve:
    """A method's metric at each share of the labels, with resampled patients and draws."""
    points = {}
    for share, predictions in found.items():
        drawn = resampled(predictions, resamples, seed)[metric]
        points[share] = np.append(drawn[:, 0].mean(), of_drawn_repetitions(drawn[:, 1:], seed))
    return points


class Reading:
    """A reference's curve, read backwards: from the metric to the share of the labels."""

    def __init__(self, curve: Curve) -> None:
        self.shares = np.array(sorted(curve))
        self.least = float(self.shares[0])
        values = np.stack([curve[share] for share in self.shares], axis=1)
        undefined = np.isnan(values).any(axis=1)  # a resample in which a split lacks a class
        self.rising = np.array([isotonic_regression(row) for row in np.nan_to_num(values)])
        self.rising[undefined] = np.nan

    def share_of(self, target: NDArray[np.float64]) -> NDArray[np.float64]:
        """(1 + resamples,) → the share that each needs: NaN where undefined, ∞ beyond all."""
        return np.array([self._one(row, y) for row, y in zip(self.rising, target, strict=True)])

    def _one(self, rising: NDArray[np.float64], target: float) -> float:
        if math.isnan(target) or np.isnan(rising).any():
            return math.nan
        after = int(np.searchsorted(rising, target))
        if after == len(rising):
            return math.inf
        if after == 0:
            return self.least
        below, above = rising[after - 1], rising[after]
        part = (target - below) / (above - below)
        step = math.log(self.shares[after] / self.shares[after - 1])
        return float(self.shares[after - 1] * math.exp(part * step))


def interval_of_shares(needed: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Percentiles of the resamples, which may be infinite, widened to the estimate."""
    drawn = needed[1:][~np.isnan(needed[1:])]
    if not drawn.size or math.isnan(needed[0]):
        return math.nan, math.nan
    tail = (1 - confidence) / 2
    # Between a number and infinity there is nothing to interpolate.
    low, high = np.quantile(drawn, (tail, 1 - tail), method="inverted_cdf")
    return float(min(low, needed[0])), float(max(high, needed[0]))
