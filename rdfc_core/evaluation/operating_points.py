"""Thresholds of a probability, chosen on held-back training cases and applied as chosen."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.config.safeguard_settings import OperatingPointSettings
from rdfc_core.errors import StudyError
from rdfc_core.results.safeguards import OperatingPoint

LEAST = 10
"""Cases of a class without which no threshold is chosen by it."""
ROUNDING = 1e-9


def refuse_unfit_points(settings: EvaluateSettings, classes: Sequence[str]) -> None:
    """Check that every operating point tells two classes of the data apart.

    Raises:
        StudyError: If it does not.
    """
    for one in settings.operating_points:
        if len(classes) != 2:
            raise StudyError(
                f"evaluate.operating_points: they tell two classes apart, and there are "
                f"{len(classes)} ({', '.join(classes)}). Leave them out."
            )
        if one.positive not in classes:
            raise StudyError(
                f"evaluate.operating_points: positive is {one.positive!r}, and the classes are "
                f"{' and '.join(classes)}."
            )


def choose_point(
    asked: OperatingPointSettings,
    said: NDArray[np.float64],
    truth: NDArray[np.int64],
    classes: Sequence[str],
) -> OperatingPoint:
    """The threshold that reaches an aim on held-back cases, and costs the other side least.

    Args:
        asked: The aim.
        said: (N, 2) probabilities.
        truth: (N,) classes.
        classes: Two names.
    """
    place = list(classes).index(asked.positive)
    own, is_positive = said[:, place], truth == place
    positives, negatives = np.sort(own[is_positive]), np.sort(own[~is_positive])
    wanted = positives if asked.sensitivity is not None else negatives
    about = {
        "name": asked.name,
        "positive": classes[place],
        "positives": len(positives),
        "negatives": len(negatives),
    }
    if len(wanted) < LEAST:
        which = classes[place] if asked.sensitivity is not None else classes[1 - place]
        why = f"{len(wanted)} training cases of the class {which} could be held back; {LEAST} are"
        return OperatingPoint(**about, threshold=None, why_not=f"{why} needed to choose by")
    if asked.sensitivity is not None:
        missed = math.floor(len(positives) * (1 - asked.sensitivity) + ROUNDING)
        threshold = float(positives[missed])
    else:
        spared = math.ceil(len(negatives) * (asked.specificity or 0) - ROUNDING)
        threshold = float(np.nextafter(negatives[spared - 1], math.inf))
    return OperatingPoint(
        **about,
        threshold=threshold,
        sensitivity=float((positives >= threshold).mean()) if len(positives) else None,
        specificity=float((negatives < threshold).mean()) if len(negatives) else None,
    )


def called_positive(
    probabilities: NDArray[np.float64], classes: Sequence[str], made: Sequence[OperatingPoint]
) -> NDArray[np.bool_]:
    """(N,): which cases a point calls positive.

    Args:
        probabilities: (N, 2), the mean over models.
        classes: Two names.
        made: The same point of each model; as probabilities are the mean, so is the threshold.
    """
    threshold = float(np.mean([one.threshold for one in made]))
    own = probabilities[:, list(classes).index(made[0].positive)]
    return np.asarray(own >= threshold)
