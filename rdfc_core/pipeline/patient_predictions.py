"""What is said of patients with several lesions, from what is said of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from rdfc_core.errors import StudyError
from rdfc_core.pipeline.predict import Predictions
from rdfc_core.results.vocabulary import REGRESSION

Pooling = Literal["mean", "max"]
"""The mean of a patient's lesions, or the one that is likeliest of the positive class."""


def pooled(said: Predictions, by: str, pooling: str) -> Predictions:
    """A row a ``case``, or a ``patient``.

    Raises:
        StudyError: If it is by neither, or as `by_patient`.
    """
    if by not in ("case", "patient"):
        raise StudyError(f"by is {by!r}. Give 'case' or 'patient'.")
    return by_patient(said, pooling) if by == "patient" else said


def by_patient(said: Predictions, pooling: str = "mean") -> Predictions:
    """A row a patient, in the order in which patients appear.

    Args:
        said: Of cases.
        pooling: ``mean``: probabilities, or numbers, averaged over a patient's cases; ``max``:
            those of the case with the highest probability of the last of two classes, so that the
            most suspicious lesion decides.

    Raises:
        StudyError: If there is no such pooling, or ``max`` is asked of more than two classes.
    """
    if pooling not in get_args(Pooling):
        raise StudyError(f"pool is {pooling!r}. Give {' or '.join(get_args(Pooling))}.")
    if pooling == "max" and said.task == REGRESSION:
        raise StudyError(
            "pool max takes the case that is likeliest of a class, and the run predicts a number. "
            "Use mean."
        )
    if pooling == "max" and len(said.classes) != 2:
        raise StudyError(
            f"pool max takes the case that is likeliest of the second of two classes, and the run "
            f"has {len(said.classes)}. Use mean."
        )
    patients = {one: place for place, one in enumerate(dict.fromkeys(said.patient_ids))}
    owner = np.array([patients[one] for one in said.patient_ids], np.int64)
    counts = np.bincount(owner, minlength=len(patients))
    pooled = np.zeros((len(patients), said.probabilities.shape[1]))
    if pooling == "mean":
        np.add.at(pooled, owner, said.probabilities)
        pooled /= counts[:, None]
    else:
        # The likeliest case of each patient is written last; of equal ones the first.
        places = np.arange(len(owner))
        order = np.lexsort((-places, said.probabilities[:, 1]))
        pooled[owner[order]] = said.probabilities[order]
    return replace(
        said,
        case_ids=tuple(patients),
        patient_ids=tuple(patients),
        probabilities=pooled,
        cases_of_each=tuple(counts.tolist()),
    )
