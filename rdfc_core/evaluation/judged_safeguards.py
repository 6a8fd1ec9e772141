"""Whether safeguards hold on cases that took no part in making them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from rdfc_core.evaluation.bootstrap import Prediction, interval, resample_weights
from rdfc_core.evaluation.conformal import patient_shares, sets_of
from rdfc_core.evaluation.operating_points import called_positive
from rdfc_core.extraction.extract import Extraction
from rdfc_core.models.inputs import positions
from rdfc_core.models.model import Model
from rdfc_core.results.safeguards import (
    Conformal,
    JudgedPoint,
    JudgedSafeguards,
    JudgedSets,
    OperatingPoint,
    Safeguards,
)
from rdfc_core.results.schema import finite
from rdfc_core.results.validation import Value


@dataclass(frozen=True)
class Resampling:
    """How intervals are made.

    Args:
        resamples: Of patients.
        confidence: Coverage.
        seed: Decides them.
    """

    resamples: int
    confidence: float
    seed: int


@dataclass(frozen=True)
class GuardedTest:
    """What a model said of cases that it has not learnt from.

    Args:
        safeguards: Of the model, or of several whose mean is judged.
        prediction: Of M cases.
        flagged: (M,), which it calls unlike its training cases; None where it calls none so.
    """

    safeguards: Sequence[Safeguards]
    prediction: Prediction
    flagged: NDArray[np.bool_] | None = None


def tested(model: Model, prediction: Prediction, extraction: Extraction) -> GuardedTest:
    """The test part of a split, with which of its cases lie far from the training cases."""
    assert model.safeguards is not None
    kept, familiarity = model.training_cases, model.safeguards.familiarity
    if kept is None or familiarity is None or familiarity.limit is None:
        return GuardedTest([model.safeguards], prediction)
    prepared = {name: extraction.of(name, prediction.case_ids) for name in model.views}
    vectors = kept.place(positions(model, prepared, familiarity.sources))
    far, _ = kept.look(vectors, familiarity.neighbours, 0)
    return GuardedTest([model.safeguards], prediction, far > familiarity.limit)


def judge_safeguards(
    tests: Sequence[GuardedTest], classes: Sequence[str], resampling: Resampling
) -> JudgedSafeguards:
    """What the safeguards come to on all test cases together.

    Args:
        tests: One a split.
        classes: C names; none where numbers are predicted.
        resampling: Makes the intervals.
    """
    made = [one for test in tests for one in test.safeguards]
    patients = [patient for test in tests for patient in test.prediction.patients]
    weights = resample_weights(patients, resampling.resamples, resampling.seed)
    shares = Shares(patients, weights, resampling.confidence)
    why_not = [
        f"Prediction sets are not given: {one.conformal.why_not}."
        for one in made
        if one.conformal and one.conformal.why_not
    ]
    why_not += [
        f"No case is called unlike the training cases: {one.familiarity.why_not}."
        for one in made
        if one.familiarity and one.familiarity.why_not
    ]
    why_not += [
        f"The operating point {point.name} is not given: {point.why_not}."
        for one in made
        for point in one.operating_points
        if point.why_not
    ]
    flagged = [test.flagged for test in tests if test.flagged is not None]
    limits = [one.familiarity.quantile for one in made if one.familiarity]
    every = len(flagged) == len(tests) and tests
    return JudgedSafeguards(
        sets=_judged_sets(tests, classes, shares),
        operating_points=tuple(_judged_points(tests, classes, shares)),
        flagged=shares.of(np.concatenate(flagged), by_patient=True) if every else None,
        quantile=limits[0] if every and limits else None,
        why_not=tuple(dict.fromkeys(why_not)),
    )


@dataclass(frozen=True)
class Shares:
    """Shares of N cases, with intervals.

    Args:
        patients: (N,), whose each case is.
        weights: (R, N), how often each case counts in each resample of patients.
        confidence: Coverage of the intervals.
    """

    patients: Sequence[str]
    weights: NDArray[np.float64]
    confidence: float

    def of(
        self,
        holds: NDArray[np.bool_],
        among: NDArray[np.bool_] | None = None,
        by_patient: bool = False,
    ) -> Value:
        """How often something holds among some of the cases.

        Args:
            holds: (N,).
            among: (N,); None: all.
            by_patient: Every patient counts once, in place of every case.

        Returns:
            Nothing of no case. Where every resample gives the same, as if nothing could be
            otherwise, the interval is the exact one of as many patients.
        """
        chosen = np.ones(len(holds), bool) if among is None else among
        if not chosen.any():
            return Value(estimate=None)
        owners = [self.patients[row] for row in np.flatnonzero(chosen).tolist()]
        own = patient_shares(owners) if by_patient else np.ones(len(owners))
        estimate = float(np.average(holds[chosen], weights=own))
        drawn = self.weights[:, chosen] * own
        total = drawn.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            low, high = interval(drawn @ holds[chosen] / total, estimate, self.confidence)
        if low == high:
            count = len(set(owners))
            exact = binomtest(round(estimate * count), count).proportion_ci(self.confidence)
            low, high = min(exact.low, estimate), max(exact.high, estimate)
        return Value(estimate=estimate, low=finite(low), high=finite(high))


def _judged_sets(
    tests: Sequence[GuardedTest], classes: Sequence[str], shares: Shares
) -> JudgedSets | None:
    made = [[one.conformal for one in test.safeguards if one.conformal] for test in tests]
    if not made or not all(own and not any(c.why_not for c in own) for own in made):
        return None
    first = made[0][0]
    truth = np.concatenate([test.prediction.truth for test in tests])
    about: dict[str, Any] = {
        "nominal": first.coverage,
        "by_class": any(one.by_class for own in made for one in own),
        "cases": len(truth),
        "patients": len(set(shares.patients)),
    }
    if first.half_width is not None:
        return _judged_intervals(tests, made, shares, about)
    pieces = [
        sets_of(test.prediction.probabilities, classes, own)
        for test, own in zip(tests, made, strict=True)
    ]
    inside = np.concatenate(pieces)
    places = truth.astype(np.int64)
    holds, sizes = inside[np.arange(len(places)), places], inside.sum(axis=1)
    certain = sizes == 1
    return JudgedSets(
        **about,
        coverage=shares.of(holds, by_patient=True),
        coverage_of={
            name: shares.of(holds, places == c, by_patient=True) for c, name in enumerate(classes)
        },
        certain=shares.of(certain),
        certain_right=shares.of(holds, certain),
        empty=float((sizes == 0).mean()),
    )


def _judged_intervals(
    tests: Sequence[GuardedTest],
    made: Sequence[Sequence[Conformal]],
    shares: Shares,
    about: Mapping[str, Any],
) -> JudgedSets:
    widths = [float(np.mean([one.half_width for one in own])) for own in made]
    holds = np.concatenate(
        [
            np.abs(test.prediction.probabilities - test.prediction.truth) <= width
            for test, width in zip(tests, widths, strict=True)
        ]
    )
    counts = [len(test.prediction.case_ids) for test in tests]
    width = 2 * float(np.average(widths, weights=counts))
    return JudgedSets(**about, coverage=shares.of(holds, by_patient=True), width=width)


def _judged_points(
    tests: Sequence[GuardedTest], classes: Sequence[str], shares: Shares
) -> list[JudgedPoint]:
    found = []
    for place in range(min((len(t.safeguards[0].operating_points) for t in tests), default=0)):
        made = [[one.operating_points[place] for one in test.safeguards] for test in tests]
        if any(point.threshold is None for own in made for point in own):
            continue
        found.append(_judged_point(tests, made, classes, shares))
    return found


def _judged_point(
    tests: Sequence[GuardedTest],
    made: Sequence[Sequence[OperatingPoint]],
    classes: Sequence[str],
    shares: Shares,
) -> JudgedPoint:
    called = np.concatenate(
        [
            called_positive(test.prediction.probabilities, classes, own)
            for test, own in zip(tests, made, strict=True)
        ]
    )
    first = made[0][0]
    positive = np.concatenate([test.prediction.truth for test in tests]) == list(classes).index(
        first.positive
    )
    thresholds = {
        test.prediction.split: float(np.mean([point.threshold for point in own]))
        for test, own in zip(tests, made, strict=True)
    }
    return JudgedPoint(
        name=first.name,
        positive=first.positive,
        thresholds=thresholds,
        sensitivity=shares.of(called, positive),
        specificity=shares.of(~called, ~positive),
        ppv=shares.of(positive, called),
        npv=shares.of(~positive, ~called),
        cases=len(called),
    )
