"""Sets and intervals that hold the label as often as asked: split conformal prediction by patient.

Cases of one patient are alike, so that patients, not cases, are exchangeable: every patient counts
once, however many cases it has, and the correction for few data is by their number.

Source: Lee, Barber & Willett 2023, "Distribution-free inference with hierarchical data"; for the
sets Sadinle, Lei & Wasserman 2019, "Least ambiguous set-valued classifiers".
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_core.results.safeguards import Conformal

ROUNDING = 1e-9
"""Sums of shares differ from their quantile by this at most."""


def patient_shares(patients: Sequence[str]) -> NDArray[np.float64]:
    """(N,): what each case counts, so that every patient counts once."""
    _, places, counts = np.unique(list(patients), return_inverse=True, return_counts=True)
    return np.asarray(1 / counts[places], np.float64)


def patients_needed(level: float) -> int:
    """How few patients say nothing of a quantile: below this it is infinite."""
    return math.ceil(1 / (1 - level) - ROUNDING) - 1


def conformal_quantile(scores: NDArray[np.float64], patients: Sequence[str], level: float) -> float:
    """The score within which a case of another patient lies with at least this probability.

    Args:
        scores: (N,) of held-back cases.
        patients: (N,), whose each case is.
        level: The probability, such as 0.9.

    Returns:
        Infinite where there are fewer patients than `patients_needed`.
    """
    shares = patient_shares(patients)
    order = np.argsort(scores, kind="stable")
    # One more patient, of whom nothing is known: its score may be larger than any.
    reached = np.cumsum(shares[order]) / (len(set(patients)) + 1)
    place = int(np.searchsorted(reached, level - ROUNDING))
    return float(scores[order][place]) if place < len(scores) else math.inf


def calibrate_sets(
    said: NDArray[np.float64],
    truth: NDArray[np.int64],
    patients: Sequence[str],
    classes: Sequence[str],
    coverage: float,
    by_class: bool | None = None,
) -> Conformal:
    """Thresholds of the probability, from held-back cases.

    Args:
        said: (N, C) probabilities.
        truth: (N,) classes.
        patients: (N,), whose each case is.
        classes: C names.
        coverage: How often sets are to hold the label.
        by_class: Each class for itself; None: where each has patients enough.
    """
    owners = np.array(patients)
    scores = 1 - said[np.arange(len(truth)), truth]
    needed = patients_needed(coverage)
    of_class = {name: len(set(owners[truth == c].tolist())) for c, name in enumerate(classes)}
    fewest = min(of_class, key=lambda name: of_class[name])
    total = len(set(patients))
    about = {"coverage": coverage, "cases": len(truth), "patients": total}
    separate = of_class[fewest] >= needed if by_class is None else by_class
    if separate and of_class[fewest] < needed:
        return Conformal(**about, by_class=True, why_not=_too_few(of_class[fewest], needed, fewest))
    if not separate and total < needed:
        return Conformal(**about, why_not=_too_few(total, needed))
    limits = {
        name: conformal_quantile(scores[rows], owners[rows].tolist(), coverage)
        for c, name in enumerate(classes)
        for rows in [truth == c if separate else np.ones(len(truth), bool)]
    }
    thresholds = {name: 1 - limit for name, limit in limits.items()}
    return Conformal(**about, by_class=separate, thresholds=thresholds)


def calibrate_interval(
    said: NDArray[np.float64],
    truth: NDArray[np.float64],
    patients: Sequence[str],
    coverage: float,
) -> Conformal:
    """How far intervals reach, from held-back cases.

    Args:
        said: (N,) numbers.
        truth: (N,) labels.
        patients: (N,), whose each case is.
        coverage: How often intervals are to hold the label.
    """
    total, needed = len(set(patients)), patients_needed(coverage)
    about = {"coverage": coverage, "cases": len(truth), "patients": total}
    if total < needed:
        return Conformal(**about, why_not=_too_few(total, needed))
    width = conformal_quantile(np.abs(said - truth), patients, coverage)
    return Conformal(**about, half_width=width)


def _too_few(patients: int, needed: int, label: str = "") -> str:
    whose = f" of the class {label}" if label else ""
    return (
        f"{patients} training patients{whose} could be held back, and sets that hold the label as "
        f"often as asked need {needed}"
    )


def sets_of(
    probabilities: NDArray[np.float64], classes: Sequence[str], made: Sequence[Conformal]
) -> NDArray[np.bool_]:
    """(N, C): which classes are in the set of each case.

    Args:
        probabilities: (N, C), the mean over models.
        classes: C names.
        made: Of each model; as probabilities are the mean over models, so are thresholds.
    """
    limits = np.mean([[one.thresholds[name] for name in classes] for one in made], axis=0)
    return np.asarray(probabilities >= limits - ROUNDING)
