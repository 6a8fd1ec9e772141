"""Intervals: resample patients, not cases, since cases of one patient are alike."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation.metrics import scores
from rdfc_core.evaluation.study_metrics import OwnMetrics, own_scores

WEIGHTS_AT_ONCE = 1_000_000
"""Weights of patients, of all resamples together, that are in memory at one time."""


@dataclass(frozen=True)
class Prediction:
    """What one classifier said about the test part of one split.

    Args:
        split: The split's name.
        case_ids: N test cases.
        patients: Their patients.
        truth: (N,) class indices, or numbers.
        probabilities: (N, C); where a number was predicted, the numbers, (N,).
        repeat: Number of the repetition, where chance has a part in the method (a random network).
        labelled_cases: Cases whose labels it was learnt from.
        labelled_patients: Their patients.
    """

    split: str
    case_ids: tuple[str, ...]
    patients: tuple[str, ...]
    truth: NDArray[np.int64] | NDArray[np.float64]
    probabilities: NDArray[np.float64]
    repeat: int = 0
    labelled_cases: int = 0
    labelled_patients: int = 0


@dataclass(frozen=True)
class Estimate:
    """A metric with its spread.

    Args:
        mean: Mean over splits and repetitions.
        sd: Standard deviation over splits and repetitions; NaN for one.
        low: Lower end of the patient-level bootstrap interval of one repetition's mean over splits.
        high: Its upper end.
    """

    mean: float
    sd: float
    low: float
    high: float


def estimates(
    predictions: Sequence[Prediction],
    resamples: int,
    confidence: float,
    seed: int,
    own: OwnMetrics | None = None,
) -> dict[str, Estimate]:
    """Every metric over the splits, with percentile intervals from resampled patients.

    Args:
        predictions: One a split and repetition.
        resamples: Number of bootstrap resamples.
        confidence: Coverage of the intervals, such as 0.95.
        seed: Decides the resamples; the same for methods that are to be compared.
        own: The study's own metrics.
    """
    points = [_all_scores(one, None, own) for one in predictions]
    drawn = bootstrap(predictions, resamples, seed, own)
    found = {}
    for metric in drawn:
        values = np.array([point[metric][0] for point in points])
        mean = float(values.mean())
        low, high = interval(drawn[metric], mean, confidence)
        sd = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
        found[metric] = Estimate(mean, sd, low, high)
    return found


def interval(drawn: NDArray[np.float64], estimate: float, confidence: float) -> tuple[float, float]:
    """The percentile interval of the resamples, widened to the estimate where that lies outside.

    Resamples of a metric that grows with every repeated case, as the calibration error does, may
    all lie on one side of the estimate.

    Args:
        drawn: The metric in each resample; NaN where undefined.
        estimate: The metric on the cases themselves.
        confidence: Coverage, such as 0.95.

    Returns:
        Low and high; NaN where no resample has a value.
    """
    defined = drawn[~np.isnan(drawn)]
    if not defined.size:
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, (tail, 1 - tail))
    return float(np.fmin(low, estimate)), float(np.fmax(high, estimate))


def bootstrap(
    predictions: Sequence[Prediction],
    resamples: int,
    seed: int,
    own: OwnMetrics | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Every metric's mean over splits in every resample of patients.

    Repetitions of a method are resampled each for itself and pooled, so that the interval holds
    their spread too: metric → (repetitions × resamples,).
    """
    found = resampled(predictions, resamples, seed, own)
    return {metric: values[:, 1:].ravel() for metric, values in found.items()}


def of_drawn_repetitions(values: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """(repetitions, R) → (R,): in each resample the mean of as many, drawn with replacement."""
    repetitions, resamples = values.shape
    if repetitions == 1:
        return np.asarray(values[0])
    shares = np.full(repetitions, 1 / repetitions)
    times = np.random.default_rng([seed, 1]).multinomial(repetitions, shares, resamples)
    return np.asarray((times.T * values).sum(axis=0) / repetitions)


def resampled(
    predictions: Sequence[Prediction],
    resamples: int,
    seed: int,
    own: OwnMetrics | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Every metric's mean over splits: metric → (repetitions, 1 + resamples).

    The first column is of all patients as they are, each further one of a resample. The same seed
    draws the same patients for every method that is judged on the same cases.

    Args:
        predictions: One a split and repetition.
        resamples: Number of bootstrap resamples.
        seed: Decides the resamples.
        own: The study's own metrics, which stand behind those of every run.
    """
    patients = sorted({patient for one in predictions for patient in one.patients})
    place = {patient: index for index, patient in enumerate(patients)}
    columns = [np.array([place[patient] for patient in one.patients]) for one in predictions]
    repeats = sorted({one.repeat for one in predictions})
    pieces: dict[str, list[NDArray[np.float64]]] = {}
    for times in _weightings(len(patients), resamples, seed):
        judged = [
            (one.repeat, _all_scores(one, times[:, places], own))
            for one, places in zip(predictions, columns, strict=True)
        ]
        for metric in judged[0][1]:
            means = [
                np.mean([part[metric] for of, part in judged if of == repeat], axis=0)
                for repeat in repeats
            ]
            pieces.setdefault(metric, []).append(np.stack(means))
    return {metric: np.concatenate(found, axis=1) for metric, found in pieces.items()}


def resample_weights(patients: Sequence[str], resamples: int, seed: int) -> NDArray[np.float64]:
    """(R, N): how often each case counts in each resample of patients.

    Args:
        patients: (N,), whose each case is.
        resamples: R.
        seed: Decides the resamples.
    """
    places = {patient: place for place, patient in enumerate(sorted(set(patients)))}
    own = np.array([places[patient] for patient in patients])
    drawn = list(_weightings(len(places), resamples, seed))[1:]
    return np.concatenate([times[:, own] for times in drawn])


def _all_scores(
    one: Prediction, weights: NDArray[np.float64] | None, own: OwnMetrics | None
) -> dict[str, NDArray[np.float64]]:
    """Metrics of every run, and the study's own: metric → (R,)."""
    found = scores(one.truth, one.probabilities, weights)
    return {**found, **own_scores(own, one.truth, one.probabilities, weights)} if own else found


def _weightings(patients: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each patient counts, (r, patients), some rows at a time; the first row: once.

    All rows of 20,000 patients, and what scores make of them, take hundreds of megabytes.
    """
    rng = np.random.default_rng(seed)
    shares = np.full(patients, 1 / patients)
    at_once = max(1, WEIGHTS_AT_ONCE // patients)
    yield np.ones((1, patients))
    for start in range(0, resamples, at_once):
        rows = min(at_once, resamples - start)
        yield rng.multinomial(patients, shares, rows).astype(np.float64)


def paired(
    a: NDArray[np.float64], b: NDArray[np.float64], confidence: float, seed: int
) -> tuple[float, float, float, float]:
    """Difference, interval and two-sided p of paired resamples.

    Repetitions are resampled, too, by the same draw for both methods where both have as many: the
    draws of labels are then the same ones.

    Args:
        a: (repetitions, 1 + resamples): the metric on all patients, then on each resample.
        b: The same of the other method.
        confidence: Coverage of the interval.
        seed: Decides which repetitions are drawn.
    """
    difference = float(a[:, 0].mean() - b[:, 0].mean())
    drawn_a = of_drawn_repetitions(a[:, 1:], seed)
    drawn_b = of_drawn_repetitions(b[:, 1:], seed)
    drawn = drawn_a - drawn_b
    drawn = drawn[~np.isnan(drawn)]
    if math.isnan(difference) or not drawn.size:
        return math.nan, math.nan, math.nan, math.nan
    low, high = interval(drawn, difference, confidence)
    # One more to each side: the data themselves are a resample. 1e-12: rounding is no difference.
    beside = min((drawn <= 1e-12).sum(), (drawn >= -1e-12).sum())
    return difference, low, high, min(1.0, 2 * (beside + 1) / (drawn.size + 1))
