"""What is said of patients from what is said of their cases."""

from __future__ import annotations

import numpy as np
import pytest

from rdfc_core.errors import StudyError
from rdfc_core.pipeline.patient_predictions import by_patient
from rdfc_core.pipeline.predict import Predictions


def said(classes=("benign", "malignant")) -> Predictions:
    positive = np.array([0.2, 0.9, 0.4, 0.1])
    rest = np.stack([1 - positive, positive], axis=1)
    if len(classes) == 3:
        rest = np.stack([1 - positive, positive / 2, positive / 2], axis=1)
    return Predictions(("a1", "b1", "a2", "a3"), ("a", "b", "a", "a"), classes, rest, ())


def test_the_mean_of_a_patients_cases():
    assert by_patient(said()).rows(6) == [
        {"patient_id": "a", "cases": 3, "predicted": "benign", "p_benign": 0.766667,
         "p_malignant": 0.233333},
        {"patient_id": "b", "cases": 1, "predicted": "malignant", "p_benign": 0.1,
         "p_malignant": 0.9},
    ]  # fmt: skip


def test_the_most_suspicious_case_of_a_patient():
    pooled = by_patient(said(), "max")
    assert pooled.probabilities[:, 1].tolist() == [0.4, 0.9]
    np.testing.assert_allclose(pooled.probabilities.sum(axis=1), 1)


def test_three_classes_have_a_mean_and_no_maximum():
    assert by_patient(said(("x", "y", "z"))).probabilities.shape == (2, 3)
    with pytest.raises(StudyError, match=r"likeliest of the second of two classes.*has 3"):
        by_patient(said(("x", "y", "z")), "max")
    with pytest.raises(StudyError, match="Give mean or max"):
        by_patient(said(), "median")


def test_no_case_is_no_patient():
    none = Predictions((), (), ("x", "y"), np.zeros((0, 2)), ())
    assert by_patient(none).rows() == []
