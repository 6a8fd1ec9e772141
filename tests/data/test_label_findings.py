"""What a list's patients and labels may stand for, told rather than guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdfc_core.case import Case
from rdfc_core.data.label_findings import MANY, label_findings, patient_findings


def cases_of(patients: list[str], labels: list[str]) -> list[Case]:
    return [
        Case(f"case-{number}", patient, Path("image"), Path("mask"), label)
        for number, (patient, label) in enumerate(zip(patients, labels, strict=True))
    ]


@pytest.mark.parametrize(
    ("most", "other", "patients", "told"),
    [
        (MANY, 1, 4, True),
        (MANY - 1, 1, 4, False),
        (2 * MANY, 2, 4, True),
        (2 * MANY - 1, 2, 4, False),
        (MANY, 1, 2, False),  # of two patients one may well have most of the cases
    ],
)
def test_a_patient_with_many_times_the_cases_of_others_may_be_nobody(
    most: int, other: int, patients: int, told: bool
) -> None:
    who = ["outside"] * most + [f"p{one}" for one in range(1, patients) for _ in range(other)]
    found = [one.message for one in patient_findings(cases_of(who, ["a"] * len(who)))]
    expected = f"patient 'outside' has {most} of {len(who)} cases, and no other more than {other}"
    assert found == ([expected] if told else [])


@pytest.mark.parametrize("text", ["n/a", "unknown", "-", "anonymous"])
def test_cases_of_a_patient_who_stands_for_no_value_are_counted(text: str) -> None:
    who = [text, text, "p1", "p2"]
    (found,) = patient_findings(cases_of(who, list("abab")))
    assert found.message.startswith(f"2 cases (case-0, case-1) have the patient {text!r}")
    assert not list(patient_findings(cases_of([text, "p1", "p2"], list("aba"))))


@pytest.mark.parametrize("separator", [";", "|", ",", "/", "&", "+", " ; "])
def test_a_class_that_lists_other_classes_is_told_of(separator: str) -> None:
    both = f"benign{separator}malignant"
    labels = ["benign"] * 3 + ["malignant"] * 3 + [both] * 2
    cases = cases_of([f"p{number}" for number in range(8)], labels)
    found = [one.message for one in label_findings(cases, ["benign", "malignant", both])]
    assert f"the class {both!r} (2 cases) lists several other classes" in found


@pytest.mark.parametrize("label", ["benign;cyst", "benign/grade 2", "benign"])
def test_a_class_that_names_one_other_or_none_is_not(label: str) -> None:
    cases = cases_of([f"p{n}" for n in range(6)], ["benign"] * 2 + ["malignant"] * 2 + [label] * 2)
    classes = list(dict.fromkeys(["benign", "malignant", label]))
    assert not [one for one in label_findings(cases, classes) if "several" in one.message]
