"""What was said of a list's labelled cases, judged: scores, calibration, decisions, subgroups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation.bootstrap import Prediction, estimates, interval, resample_weights
from rdfc_core.evaluation.metrics import scores
from rdfc_core.evaluation.net_benefit import decision_curve
from rdfc_core.evaluation.recalibration import calibration_line, shift_in_the_large, shifted
from rdfc_core.evaluation.sample_size import too_few
from rdfc_core.results.schema import finite
from rdfc_core.results.validation import ClassCalibration, Decision, Subgroup, Value
from rdfc_core.results.vocabulary import BRIER, ECE

RESAMPLES, CONFIDENCE, SEED = 1000, 0.95, 0

FEW_SLOPES = 0.5
"""Share of resamples that must have a slope for an interval to be given."""


def counts(prediction: Prediction, classes: Sequence[str]) -> dict[str, dict[str, int]]:
    """Class → its ``cases`` and ``patients``."""
    found = {}
    for place, label in enumerate(classes):
        rows = np.flatnonzero(prediction.truth == place)
        patients = {prediction.patients[row] for row in rows}
        found[label] = {"cases": len(rows), "patients": len(patients)}
    return found


def metrics(prediction: Prediction) -> dict[str, Value]:
    """Every metric, with an interval from resampled patients."""
    found = estimates([prediction], RESAMPLES, CONFIDENCE, SEED)
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


def subgroup(
    column: str,
    value: str,
    places: Sequence[int],
    prediction: Prediction,
    classes: Sequence[str],
) -> Subgroup:
    """The cases at these places, which share a value of a column."""
    rows = np.array(places)
    own = Prediction(
        value,
        tuple(prediction.case_ids[row] for row in rows),
        tuple(prediction.patients[row] for row in rows),
        prediction.truth[rows],
        prediction.probabilities[rows],
    )
    numbers = counts(own, classes)
    return Subgroup(
        column=column,
        value=value,
        cases=len(rows),
        patients=len(set(own.patients)),
        per_class={label: one["cases"] for label, one in numbers.items()},
        metrics={} if too_few(numbers, folds=True) else metrics(own),
    )
