"""Which classes the cases of a data set allow to tell apart, and which labels are doubtful."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from rdfc_core.case import Case
from rdfc_core.data.cells import counted, listed, same_logic, spelled_alike
from rdfc_core.errors import DataError

ONLY_PRETRAIN = "or only pretrain: the same command with pretrain in place of run."
ALIKE_FIX = "Write them alike if one class is meant."


class UnsplittableError(DataError):
    """The cases or their labels allow no such split; pretraining needs none."""


def doubtful_labels(cases: Sequence[Case]) -> list[str]:
    """A sentence for each group of classes of these cases that is spelled alike, or means alike."""
    counts = Counter(case.label for case in cases if case.label is not None)
    told = {label: f"{label!r} ({counted(count, 'case')})" for label, count in counts.items()}
    alike = [
        f"the classes {' and '.join(told[label] for label in group)} differ only in upper and "
        "lower case, spaces, dashes or zeros"
        for group in spelled_alike(sorted(counts))
    ]
    parts = [
        f"the class {told[label]} lists several other classes"
        for label in counts
        if len(set(re.split(r"\s*[;|,/&+]\s*", label)) & (set(counts) - {label})) > 1
    ]
    return [
        *alike,
        *(
            f"the classes {' and '.join(told[label] for label in group)} are words for one answer"
            for group in same_logic(sorted(counts))
        ),
        *parts,
    ]


def patients_of_classes(cases: Sequence[Case]) -> Mapping[str, set[str]]:
    """Class → the patients that have labelled cases of it."""
    patients: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        if case.label is not None:
            patients[case.label].add(case.patient_id)
    return patients


def usable_classes(cases: Sequence[Case], classes: Collection[str] | None) -> tuple[str, ...]:
    """The classes that can be told apart: two patients have each, one to train and one to test.

    Args:
        cases: All cases.
        classes: The data set's, in their order; None: the labels of the cases, sorted.
    """
    patients = patients_of_classes(cases)
    order = sorted(patients) if classes is None else classes
    return tuple(label for label in order if len(patients.get(label, ())) > 1)


def require_two_classes(cases: Sequence[Case], usable: Sequence[str]) -> None:
    """Check that there are classes to tell apart.

    Args:
        cases: All cases.
        usable: What `usable_classes` gives for them.

    Raises:
        UnsplittableError: If there are fewer than two.
    """
    counts = Counter(case.label for case in cases if case.label is not None)
    patients = patients_of_classes(cases)
    if not counts:
        raise UnsplittableError(
            f"No case has a label, so nothing can be evaluated. Label some cases, {ONLY_PRETRAIN}"
        )
    if len(counts) == 1:
        label, count = next(iter(counts.items()))
        all_of_them = (
            "The only labelled case is" if count == 1 else f"All {count} labelled cases are"
        )
        raise UnsplittableError(
            f"{all_of_them} {label!r}: telling classes apart needs two. Label cases of another "
            f"class, {ONLY_PRETRAIN}"
        )
    if len(usable) < 2:
        groups = spelled_alike(map(str, counts))
        alike = f" {' and '.join(map(repr, groups[0]))} are spelled alike." if groups else ""
        found = listed(
            [
                f"{label!r} {counted(counts[label], 'case')} of "
                f"{counted(len(patients[str(label)]), 'patient')}"
                for label in counts
            ],
            6,
        )
        raise UnsplittableError(
            "Telling classes apart needs two classes with cases of two patients each that the "
            f"study names, and there are: {found}.{alike} Label more, correct the classes, "
            f"{ONLY_PRETRAIN}"
        )
