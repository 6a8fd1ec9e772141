"""Doubts about the labels and the patients of a data set, and what becomes of the cases."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from rdfc_core.case import Case
from rdfc_core.data.cells import (
    counted,
    is_missing,
    listed,
    may_be_missing,
    odd_numbers,
    spelled_alike,
    unlisted_label,
)
from rdfc_core.data.labels import ALIKE_FIX, doubtful_labels, patients_of_classes
from rdfc_core.interfaces.dataset import Problem

MANY = 5
"""A patient with so many times the cases of any other may be a word for "not known"."""

WRITTEN = "stands for no value in tables that programs write"
EVALUATING = "Pretraining needs no labels; evaluating needs two classes."


def label_findings(cases: Sequence[Case], classes: Sequence[str]) -> Iterator[Problem]:
    """What deserves a look before labels are used.

    Args:
        cases: All cases.
        classes: The data set's.
    """
    if not cases:
        return
    yield from _unlisted(cases, classes)
    for name in classes:
        if is_missing(name):
            message = f"the class {name!r} {WRITTEN}"
            yield _of_labels(message, "Leave these cases unlabelled, unless it is a class.")
    if odd := odd_numbers(classes):
        rest = listed([repr(name) for name in classes if name not in odd])
        message = f"{listed([repr(name) for name in odd])} among the classes {rest}"
        message += " is a number" if len(odd) == 1 else " are numbers"
        yield _of_labels(
            f"{message} that may stand for no value",
            "Leave these cells empty, unless it is a class.",
        )
    for doubt in doubtful_labels(cases):
        yield _of_labels(doubt, ALIKE_FIX)
    labelled = [case for case in cases if case.label is not None and case.label in classes]
    patients = patients_of_classes(labelled)
    if not labelled:
        yield _of_labels("no case is labelled", EVALUATING)
        return
    if len(patients) == 1:
        label = labelled[0].label
        count = len(labelled)
        all_of_them = f"all {count} labelled cases are" if count > 1 else "the one labelled case is"
        yield _of_labels(f"{all_of_them} {label!r}", EVALUATING)
    counts = Counter(case.label for case in labelled)
    for label in classes:
        who = patients.get(label, set())
        if not who:
            fix = "Label some cases, or take the class from the list."
            yield _of_labels(f"class {label!r} has no labelled case, and is left out", fix)
        elif len(who) == 1 and len(patients) > 1:
            lonely = "a single case, which" if counts[label] == 1 else "only one patient, who"
            yield _of_labels(
                f"class {label!r} has {lonely} cannot both train and test: used as unlabelled",
                "Label more, or leave the class out.",
            )


def patient_findings(cases: Sequence[Case]) -> Iterator[Problem]:
    """Patients who are written in two ways, and would be two; words that stand for no patient."""
    of_patient: dict[str, list[str]] = defaultdict(list)
    for case in cases:
        of_patient[case.patient_id].append(case.case_id)
    for patient, theirs in of_patient.items():
        if len(theirs) > 1 and (is_missing(patient) or may_be_missing(patient)):
            yield Problem(
                "",
                "patient_id",
                f"{len(theirs)} cases ({listed(theirs)}) have the patient {patient!r}, which "
                + (WRITTEN if is_missing(patient) else "may stand for patients who are not known"),
                "Give each case a patient of its own where the patient is not known.",
                "warning",
            )
    counts = Counter({patient: len(theirs) for patient, theirs in of_patient.items()})
    (most, count), *others = [*counts.most_common(2), ("", 0)]
    if len(counts) > 2 and count >= MANY * max(1, others[0][1]):
        yield Problem(
            "",
            "patient_id",
            f"patient {most!r} has {count} of {len(cases)} cases, and no other more than "
            f"{others[0][1]}",
            "If it stands for patients who are not known, leave the cells empty.",
            "warning",
        )
    groups = spelled_alike(counts)
    if groups:
        shown = listed([" and ".join(map(repr, group)) for group in groups])
        yield Problem(
            "",
            "patient_id",
            f"{counted(len(groups), 'patient is', 'patients are')} written in several ways "
            f"({shown}), and counted as several",
            "Write them alike if one patient is meant, or one may train and test at once.",
            "warning",
        )


def _unlisted(cases: Sequence[Case], classes: Sequence[str]) -> Iterator[Problem]:
    """Labels that are none of the classes."""
    counts = Counter(case.label for case in cases if case.label not in (None, *classes))
    for label, count in counts.items():
        yield _of_labels(*unlisted_label(str(label), count, classes))


def _of_labels(message: str, fix: str) -> Problem:
    return Problem("", "label", message, fix, "warning")
