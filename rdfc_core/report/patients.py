"""What was recorded of cases, as it is said of patients where a run judges these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rdfc_core.evaluation.patients import pooled_probabilities
from rdfc_core.report.run_data import RecordedPredictions, RunData
from rdfc_core.results.vocabulary import PATIENT


def in_units(run: RunData, found: Sequence[RecordedPredictions]) -> list[RecordedPredictions]:
    """The predictions in the unit that the run's tables judge.

    Args:
        run: Says which unit, and how cases are pooled.
        found: Predictions of cases.
    """
    if run.unit != PATIENT:
        return list(found)
    return [_of_patients(one, run.classes, run.pool) for one in found]


def _of_patients(
    found: RecordedPredictions, classes: Sequence[str], pooling: str
) -> RecordedPredictions:
    """A row a patient, split and repetition; cases without probabilities stay as they are."""
    scores = found.probabilities
    if scores is None or scores.shape[1] != len(classes):
        return found
    repeats = found.repeats or (0,) * len(found.splits)
    # Each patient of each split and repetition, by the place of its first case.
    keys = list(zip(found.splits, repeats, found.patient_ids, strict=True))
    first = {key: place for place, key in reversed(list(enumerate(keys)))}
    pooled = pooled_probabilities([first[key] for key in keys], scores, pooling)
    places = list(pooled)
    probabilities = np.array([one for one, _ in pooled.values()])
    return replace(
        found,
        splits=tuple(found.splits[place] for place in places),
        case_ids=tuple(found.patient_ids[place] for place in places),
        patient_ids=tuple(found.patient_ids[place] for place in places),
        labels=tuple(found.labels[place] for place in places),
        predicted=tuple(classes[place] for place in probabilities.argmax(axis=1)),
        probabilities=probabilities,
        repeats=tuple(repeats[place] for place in places) if found.repeats else (),
    )
