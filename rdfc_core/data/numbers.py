"""Labels that are numbers: which texts are one, and which patients are alike in theirs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from rdfc_core.case import Case
from rdfc_core.data.cells import (
    SENTINELS,
    counted,
    is_missing,
    label_number,
    listed,
    may_be_missing,
    not_a_number,
)
from rdfc_core.data.labels import ONLY_PRETRAIN, UnsplittableError
from rdfc_core.errors import DataError
from rdfc_core.interfaces.dataset import Problem

MOST_CLASSES = 20
"""More different numbers than this are no classes."""
FAR = 5.0
"""Interquartile ranges beyond the quartiles at which a number such as 999 is doubted."""
LEAST_PATIENTS = 4
"""Two to train and two to test."""

USE_REGRESSION = "To predict the number, set task=regression (--set task=regression)."


def is_no_value(text: str) -> bool:
    """Whether a label stands for no value, where only numbers are meant."""
    return is_missing(text) or may_be_missing(text)


def with_number_labels(cases: Sequence[Case]) -> list[Case]:
    """The cases, those whose label stands for no value without one.

    Raises:
        DataError: If a label is anything else than a number; the message names the case.
    """
    read = [
        replace(case, label=None) if case.label is not None and is_no_value(case.label) else case
        for case in cases
    ]
    strange = [c for c in read if c.label is not None and label_number(c.label) is None]
    if strange:
        message, fix = not_a_number(str(strange[0].label))
        more = f" ({len(strange) - 1} more like it)" if len(strange) > 1 else ""
        raise DataError(
            f"Case {strange[0].case_id}: the label is {message}, and task is regression{more}. "
            f"{fix} If the labels are classes, leave task out."
        )
    return read


def numbers_of(cases: Sequence[Case]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The labels of labelled cases, (N,)."""
    return np.array([float(str(case.label)) for case in cases], np.float64)


def require_numbers(cases: Sequence[Case]) -> None:
    """Check that there is something to predict.

    Args:
        cases: All, as `with_number_labels` gives them.

    Raises:
        UnsplittableError: If labels are too few, or all alike.
    """
    labelled = [case for case in cases if case.label is not None]
    patients = {case.patient_id for case in labelled}
    if not labelled:
        raise UnsplittableError(
            f"No case has a label, so nothing can be evaluated. Label some cases, {ONLY_PRETRAIN}"
        )
    if len(set(numbers_of(labelled))) == 1:
        raise UnsplittableError(
            f"The label of all {counted(len(labelled), 'labelled case')} is {labelled[0].label}: "
            f"there is nothing to predict. Name another label column, {ONLY_PRETRAIN}"
        )
    if len(patients) < LEAST_PATIENTS:
        raise UnsplittableError(
            f"A regression needs labelled cases of at least {LEAST_PATIENTS} patients, two to "
            f"train and two to test, and there are {len(patients)}. Label more, {ONLY_PRETRAIN}"
        )


def refuse_numbers(cases: Sequence[Case], classes: Sequence[str]) -> None:
    """Check that labels, which are to be classes, are no numbers to predict.

    Args:
        cases: All.
        classes: The data set's; none where it has numbers for labels.

    Raises:
        UnsplittableError: If they are more than a few different numbers, or fractions.
    """
    labels = (case.label for case in cases if case.label is not None)
    there = {label for label in labels if not classes or label in classes}
    values = {label: label_number(label) for label in sorted(there)}
    if not values or None in values.values():
        return
    broken = [label for label, value in values.items() if value is not None and value % 1]
    if len(values) <= MOST_CLASSES and not broken:
        return
    shown = listed([*broken, *(label for label in values if label not in broken)], 4)
    raise UnsplittableError(
        f"The labels are {counted(len(values), 'different number')} ({shown}), as of a measurement "
        f"and not of classes. {USE_REGRESSION} If they are classes, give them names that are words."
    )


def stratified(cases: Sequence[Case], most: int) -> list[Case]:
    """The labelled cases with strata in place of their numbers: alike in size, by quantiles.

    A patient is in one stratum, with all cases, by the mean of their numbers.

    Args:
        cases: With numbers.
        most: Number of strata; no more than there are patients.
    """
    of_patient: dict[str, list[float]] = defaultdict(list)
    for case, value in zip(cases, numbers_of(cases), strict=True):
        of_patient[case.patient_id].append(float(value))
    order = sorted(of_patient, key=lambda patient: (np.mean(of_patient[patient]), patient))
    parts = np.array_split(np.arange(len(order)), max(1, min(most, len(order))))
    stratum = {order[place]: f"quantile {k}" for k, part in enumerate(parts, 1) for place in part}
    return [replace(case, label=stratum[case.patient_id]) for case in cases]


def as_finding(error: UnsplittableError) -> Problem:
    """What forbids to evaluate, where nothing is evaluated yet."""
    message, _, fix = str(error).partition(". ")
    return Problem("", "label", message, fix, "warning")


def number_findings(cases: Sequence[Case]) -> Iterator[Problem]:
    """What deserves a look before numbers are predicted.

    Args:
        cases: All, as `with_number_labels` gives them.
    """
    labelled = [case for case in cases if case.label is not None]
    try:
        require_numbers(cases)
    except UnsplittableError as error:
        yield as_finding(error)
        return
    values = numbers_of(labelled)
    low, high = np.quantile(values, (0.25, 0.75))
    reach = FAR * (high - low)
    counts = Counter(values.tolist())
    for value in sorted(SENTINELS & set(counts)):
        if not low - reach <= value <= high + reach:
            yield Problem(
                "",
                "label",
                f"{counted(counts[value], 'case has', 'cases have')} the label {value:g}, far from "
                "all others: it may stand for no value",
                "Leave these cells empty, unless it was measured.",
                "warning",
            )
