"""What is said of patients with several lesions, from what is said of each."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np

from rdfc_core.errors import StudyError
from rdfc_core.evaluation.patients import pooled_probabilities, require_two_classes
from rdfc_core.pipeline.predict import Predictions
from rdfc_core.results.vocabulary import PATIENT, REGRESSION, Pooling, Unit


def pooled(said: Predictions, by: str, pooling: str) -> Predictions:
    """A row a ``case``, or a ``patient``.

    Raises:
        StudyError: If it is by neither, or as `by_patient`.
    """
    if by not in get_args(Unit):
        raise StudyError(f"by is {by!r}. Give 'case' or 'patient'.")
    return by_patient(said, pooling) if by == PATIENT else said


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
    require_two_classes(pooling, said.classes, "pool")
    found = pooled_probabilities(said.patient_ids, said.probabilities, pooling)
    probabilities = [one for one, _ in found.values()]
    return replace(
        said,
        case_ids=tuple(found),
        patient_ids=tuple(found),
        probabilities=np.array(probabilities).reshape(len(found), said.probabilities.shape[1]),
        cases_of_each=tuple(count for _, count in found.values()),
        extra={},
        neighbours=(),
    )
