"""Patients with several lesions judged as patients: their cases' probabilities pooled."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Case
from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.data.cells import counted, listed
from rdfc_core.data.targets import TARGETS
from rdfc_core.errors import DataError, StudyError
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.results.vocabulary import PATIENT, REGRESSION

Entry = TypeVar("Entry", bound=Hashable)


def pooled_probabilities(
    patients: Sequence[Entry], probabilities: NDArray[np.float64], pooling: str
) -> dict[Entry, tuple[NDArray[np.float64], int]]:
    """Patient → its probabilities (C,), and how many cases they are of; in order of appearance.

    Args:
        patients: Of N cases.
        probabilities: (N, C) of the cases.
        pooling: ``mean``: averaged over a patient's cases; ``max``: those of the case with the
            highest probability of the second of two classes, so that the most suspicious lesion
            decides; of equal ones the first.
    """
    places = {one: place for place, one in enumerate(dict.fromkeys(patients))}
    owner = np.array([places[one] for one in patients], np.int64)
    counts = np.bincount(owner, minlength=len(places))
    pooled = np.zeros((len(places), probabilities.shape[1]))
    if pooling == "mean":
        np.add.at(pooled, owner, probabilities)
        pooled /= counts[:, None]
    else:
        # The likeliest case of each patient is written last; of equal ones the first.
        order = np.lexsort((-np.arange(len(owner)), probabilities[:, 1]))
        pooled[owner[order]] = probabilities[order]
    return {one: (pooled[place], int(counts[place])) for one, place in places.items()}


def require_poolable(
    settings: EvaluateSettings, cases: Sequence[Case], classes: Sequence[str]
) -> None:
    """Refuse a study whose patients cannot be judged as such, before anything is measured.

    Args:
        settings: May ask for patients.
        cases: All of them.
        classes: Those that are told apart.

    Raises:
        StudyError: If ``max`` is asked of another number of classes than two.
        DataError: If cases of one patient have different labels.
    """
    if settings.unit != PATIENT:
        return
    if settings.task == REGRESSION and settings.pool == "max":
        raise StudyError(
            "evaluate.pool max takes the case that is likeliest of a class, and the task is "
            "regression. Use mean."
        )
    require_two_classes(settings.pool, classes, "evaluate.pool")
    counts = TARGETS[settings.task].counts
    labels: dict[str, dict[str, None]] = {}
    for case in cases:
        if counts(case.label, classes):
            labels.setdefault(case.patient_id, {})[str(case.label)] = None
    torn = {patient: found for patient, found in labels.items() if len(found) > 1}
    if torn:
        first, found = next(iter(torn.items()))
        raise DataError(
            f"evaluate.unit: patient judges a patient by one label, and the cases of "
            f"{counted(len(torn), 'patient')} ({listed(list(torn))}) have several, those of "
            f"{first} {' and '.join(map(repr, found))}. Give all cases of a patient the patient's "
            "label, or use evaluate.unit: case."
        )


def require_two_classes(pooling: str, classes: Sequence[str], option: str) -> None:
    """The likeliest of the second class is a notion of two classes.

    Raises:
        StudyError: If ``max`` is asked of another number.
    """
    if pooling == "max" and len(classes) != 2:
        raise StudyError(
            f"{option} max takes the case that is likeliest of the second of two classes, and the "
            f"run has {len(classes)}. Use mean."
        )


def in_units(
    settings: EvaluateSettings, found: Mapping[Entry, Sequence[Prediction]]
) -> Mapping[Entry, Sequence[Prediction]]:
    """The predictions of cases, or those of patients where the study judges these."""
    if settings.unit != PATIENT:
        return found
    return {
        entry: [of_patients(one, settings.pool) for one in predictions]
        for entry, predictions in found.items()
    }


def of_patients(prediction: Prediction, pooling: str) -> Prediction:
    """What was said of each patient of a test part, whose cases have one label (see above)."""
    said = prediction.probabilities
    rows = said if said.ndim > 1 else said[:, None]
    pooled = pooled_probabilities(prediction.patients, rows, pooling)
    truth = dict(zip(prediction.patients, prediction.truth.tolist(), strict=True))
    return replace(
        prediction,
        case_ids=tuple(pooled),
        patients=tuple(pooled),
        truth=np.array([truth[one] for one in pooled]),
        probabilities=np.array([one for one, _ in pooled.values()]).reshape(-1, *said.shape[1:]),
    )
