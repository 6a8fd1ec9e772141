"""What was said of a list's labelled cases, judged: scores, calibration, decisions, subgroups."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation.bootstrap import Prediction, estimates, interval, resample_weights
from rdfc_core.evaluation.metrics import scores
from rdfc_core.evaluation.net_benefit import decision_curve
from rdfc_core.evaluation.recalibration import calibration_line, shift_in_the_large, shifted
from rdfc_core.evaluation.sample_size import too_few
from rdfc_core.evaluation.study_metrics import FailedMetricError, OwnMetrics
from rdfc_core.results.schema import finite
from rdfc_core.results.validation import (
    ClassCalibration,
    Decision,
    NumberCalibration,
    Subgroup,
    Value,
)
from rdfc_core.results.vocabulary import BRIER, ECE

log = logging.getLogger("rdfc")

RESAMPLES, CONFIDENCE, SEED = 1000, 0.95, 0

FEW_SLOPES = 0.5
"""Share of resamples that must have a slope for an interval to be given."""


def counts(prediction: Prediction, classes: Sequence[str]) -> dict[str, dict[str, int]]:
    """Class → its ``cases`` and ``patients``; where numbers are predicted, of all under ""."""
    if not classes:
        return {"": {"cases": len(prediction.truth), "patients": len(set(prediction.patients))}}
    found = {}
    for place, label in enumerate(classes):
        rows = np.flatnonzero(prediction.truth == place)
        patients = {prediction.patients[row] for row in rows}
        found[label] = {"cases": len(rows), "patients": len(patients)}
    return found


def metrics(prediction: Prediction, own: OwnMetrics | None = None) -> dict[str, Value]:
    """Every metric, with an interval from resampled patients.

    Args:
        prediction: Of the cases, or patients.
        own: The study's own metrics. One that fails is left out, which is warned of.
    """
    try:
        found = estimates([prediction], RESAMPLES, CONFIDENCE, SEED, own)
    except FailedMetricError as error:
        log.warning("The metric %s is left out. %s", error.name, error)
        return metrics(prediction, {n: one for n, one in (own or {}).items() if n != error.name})
    return {
        metric: Value(estimate=finite(one.mean), low=finite(one.low), high=finite(one.high))
        for metric, one in found.items()
    }


def _positive(classes: Sequence[str]) -> list[int]:
    """The classes that are looked at one by one: of two, the second says all."""
    return [1] if len(classes) == 2 else list(range(len(classes)))


def calibration(prediction: Prediction, classes: Sequence[str]) -> list[ClassCalibration]:
    """Of the second of two classes, or of each."""
    weights = resample_weights(prediction.patients, RESAMPLES, SEED)
    found = []
    for place in _positive(classes):
        truth, said = prediction.truth == place, prediction.probabilities[:, place]
        line = calibration_line(truth, said, np.vstack([np.ones(len(truth)), weights]))
        shifts = np.array([shift_in_the_large(truth, said, row) for row in weights])
        found.append(
            ClassCalibration(
                label=classes[place],
                predicted=float(said.mean()),
                observed=float(truth.mean()),
                shift=_value(shift_in_the_large(truth, said), shifts),
                slope=_value(float(line.slope[0]), line.slope[1:]),
                intercept=_value(float(line.intercept[0]), line.intercept[1:]),
            )
        )
    return found


def _value(estimate: float, drawn: NDArray[np.float64]) -> Value:
    if np.isnan(estimate) or np.isfinite(drawn).mean() < FEW_SLOPES:
        return Value(estimate=finite(estimate))
    low, high = interval(drawn, estimate, CONFIDENCE)
    return Value(estimate=estimate, low=finite(low), high=finite(high))


def recalibrated(prediction: Prediction) -> dict[str, Value]:
    """What the shift would mend, told on the cases that it was found on."""
    if prediction.probabilities.shape[1] != 2:
        return {}
    positive = prediction.probabilities[:, 1]
    shift = shift_in_the_large(prediction.truth == 1, positive)
    if np.isnan(shift):
        return {}
    mended = shifted(positive, shift)
    found = scores(prediction.truth, np.stack([1 - mended, mended], axis=1))
    return {metric: Value(estimate=finite(float(found[metric][0]))) for metric in (BRIER, ECE)}


def decisions(prediction: Prediction, classes: Sequence[str]) -> list[Decision]:
    """Of the second of two classes, or of each."""
    found = []
    for place in _positive(classes):
        truth = prediction.truth == place
        curve = decision_curve(truth, prediction.probabilities[:, place])
        numbers = {name: tuple(np.round(values, 6)) for name, values in asdict(curve).items()}
        found.append(Decision(label=classes[place], **numbers))
    return found


def at(prediction: Prediction, places: Sequence[int]) -> Prediction:
    """What was said of some of the cases."""
    rows = np.array(places, int)
    return replace(
        prediction,
        case_ids=tuple(prediction.case_ids[row] for row in rows),
        patients=tuple(prediction.patients[row] for row in rows),
        truth=prediction.truth[rows],
        probabilities=prediction.probabilities[rows],
    )


def subgroup(
    column: str,
    value: str,
    prediction: Prediction,
    classes: Sequence[str],
    own: OwnMetrics | None = None,
) -> Subgroup:
    """The cases, or patients, that share a value of a column."""
    numbers = counts(prediction, classes)
    return Subgroup(
        column=column,
        value=value,
        cases=len(prediction.truth),
        patients=len(set(prediction.patients)),
        per_class={label: one["cases"] for label, one in numbers.items() if label},
        metrics={} if too_few(numbers, folds=True) else metrics(prediction, own),
    )


def number_calibration(prediction: Prediction) -> NumberCalibration:
    """How predicted numbers agree with the labels: on average, and along a line."""
    truth, said = prediction.truth.astype(np.float64), prediction.probabilities
    weights = resample_weights(prediction.patients, RESAMPLES, SEED)
    rows = np.vstack([np.ones(len(truth)), weights])
    total = rows.sum(axis=1)
    mean_said, mean_true = rows @ said / total, rows @ truth / total
    # About the means of all cases: sums of products of large numbers would lose digits.
    x, y = said - mean_said[0], truth - mean_true[0]
    mean_x, mean_y = rows @ x / total, rows @ y / total
    spread = rows @ x**2 / total - mean_x**2
    varies = spread > (1e-12 * float(np.abs(said).max())) ** 2
    shared = rows @ (x * y) / total - mean_x * mean_y
    slope = np.where(varies, shared / np.where(varies, spread, 1.0), np.nan)
    bias, intercept = mean_said - mean_true, mean_true - slope * mean_said
    return NumberCalibration(
        predicted=float(mean_said[0]),
        observed=float(mean_true[0]),
        bias=_value(float(bias[0]), bias[1:]),
        slope=_value(float(slope[0]), slope[1:]),
        intercept=_value(float(intercept[0]), intercept[1:]),
    )
