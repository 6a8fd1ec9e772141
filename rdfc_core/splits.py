"""Which cases train, which test and which serve pretraining: by patient, and never leaking."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from rdfc_core.case import Case
from rdfc_core.errors import DataError, StudyError
from rdfc_core.interfaces.dataset import SplitSpec
from rdfc_core.labels import spelled_alike

MOST_FOLDS = 20
"""A share of patients is held out as some of at most so many folds."""


@dataclass(frozen=True)
class Split:
    """Case ids of one division of the data.

    Args:
        name: ``holdout``, ``fold-1`` …, ``fold-1.2`` of the second division, or ``column``.
        pretext: Cases for pretraining, with or without a label.
        train: Labelled cases for training classifiers.
        test: Labelled cases for testing, of patients that are in neither other part.
    """

    name: str
    pretext: tuple[str, ...]
    train: tuple[str, ...]
    test: tuple[str, ...]


def make_splits(
    cases: Sequence[Case], spec: SplitSpec, seed: int, fingerprints: Mapping[str, str] | None = None
) -> list[Split]:
    """The splits that the specification asks for, stratified by label and grouped by patient.

    Args:
        cases: All usable cases.
        spec: The data set's protocol with the study's overrides.
        seed: Decides which patients are held out.
        fingerprints: Case id → content; equal content under two ids must not be in both parts.

    Raises:
        DataError: If there are too few labelled cases or classes, or a split would leak.
        StudyError: If the specification does not fit the cases.
    """
    labelled = [case for case in cases if case.label is not None]
    _check_labels(labelled, spec)
    if spec.kind == "column":
        tests = {"column": _column_part(cases, spec.column, "test")}
        trains = {"column": _column_part(cases, spec.column, "train")}
    elif spec.kind == "folds":
        tests = _chosen(_folds(labelled, spec.folds, spec.repeats, seed), spec)
        trains = {}
    else:
        tests = {"holdout": _holdout(labelled, spec, seed)}
        trains = {}
    splits = []
    for name, test in tests.items():
        train = trains.get(name, {case.case_id for case in labelled} - test)
        splits.append(_assemble(name, cases, spec, train, test))
    for split in splits:
        _check_parts(split, cases)
        refuse_leaks(split, cases, fingerprints or {})
    return splits


def _assemble(
    name: str, cases: Sequence[Case], spec: SplitSpec, train: set[str], test: set[str]
) -> Split:
    tested = {case.patient_id for case in cases if case.case_id in test}
    pretext = []
    for case in cases:
        wanted = {
            "all": case.case_id in train or case.label is None,
            "unlabelled": case.label is None,
            "train": case.case_id in train,
        }[spec.pretext]
        if spec.kind == "column" and case.columns.get(spec.column) == "pretext":
            wanted = spec.pretext != "train"
        if wanted and case.patient_id not in tested:
            pretext.append(case.case_id)
    order = [case.case_id for case in cases]
    return Split(
        name,
        tuple(pretext),
        tuple(case_id for case_id in order if case_id in train),
        tuple(case_id for case_id in order if case_id in test),
    )


def refuse_leaks(split: Split, cases: Sequence[Case], fingerprints: Mapping[str, str]) -> None:
    """Check that nothing of the test part is known before the test.

    Raises:
        DataError: If a patient, or the same image and mask under two ids, is on both sides.
    """
    by_id = {case.case_id: case for case in cases}
    known = [*split.train, *split.pretext]
    patients = {by_id[case_id].patient_id: case_id for case_id in known}
    contents = {fingerprints[case_id]: case_id for case_id in known if case_id in fingerprints}
    for case_id in split.test:
        other = patients.get(by_id[case_id].patient_id)
        if other is not None:
            raise DataError(
                f"The split leaks: patient {by_id[case_id].patient_id} has {case_id} in the test "
                f"part and {other} in the training part. Put all cases of a patient on one side."
            )
        twin = contents.get(fingerprints.get(case_id, ""))
        if twin is not None:
            raise DataError(
                f"The split leaks: {case_id} in the test part and {twin} in the training part are "
                "the same image and mask. Drop one of them, or give both the same patient_id."
            )


def _check_labels(labelled: Sequence[Case], spec: SplitSpec) -> None:
    counts = Counter(case.label for case in labelled)
    if not labelled:
        raise DataError(
            "No case has a label, so nothing can be evaluated. Label some cases, or only "
            "pretrain: the same command with pretrain in place of run."
        )
    if len(counts) == 1:
        label, count = next(iter(counts.items()))
        raise DataError(
            f"All {count} labelled cases are {label!r}: telling classes apart needs two. Label "
            "cases of another class, or only pretrain: the same command with pretrain in place of "
            "run."
        )
    rarest, fewest = min(counts.items(), key=lambda pair: pair[1])
    needed = spec.folds if spec.kind == "folds" else 2
    if fewest < needed:
        alike = [group for group in spelled_alike(map(str, counts)) if rarest in group]
        others = [repr(label) for group in alike for label in group if label != rarest]
        slip = f" It is spelled like {' and '.join(others)}: write them alike." if others else ""
        raise DataError(
            f"Class {rarest!r} has {fewest} labelled case{'s' * (fewest != 1)}, and this split "
            f"needs {needed}.{slip} Label more, leave the class out, or use fewer folds."
        )


def _check_parts(split: Split, cases: Sequence[Case]) -> None:
    train = set(split.train)
    taught = {case.label for case in cases if case.case_id in train}
    if len(taught) < 2:
        raise DataError(
            f"All cases in the training part of {split.name} are {taught.pop()!r}: telling classes "
            "apart needs two. Label more cases, or choose another split or seed."
        )
    if not split.test:
        raise DataError(
            f"The test part of {split.name} is empty: there are too few patients. Label more "
            "cases, or use fewer folds."
        )


def _column_part(cases: Sequence[Case], column: str, part: str) -> set[str]:
    found = {case.case_id for case in cases if case.columns.get(column) == part and case.label}
    if not found:
        values = sorted({str(case.columns.get(column)) for case in cases})[:5]
        raise StudyError(
            f"split.column: no labelled case has {part!r} in the column {column!r} (it holds "
            f"{', '.join(values)}). Write train, test or pretext there."
        )
    return found


def _holdout(labelled: Sequence[Case], spec: SplitSpec, seed: int) -> set[str]:
    from sklearn.model_selection import StratifiedShuffleSplit

    if len({case.patient_id for case in labelled}) < len(labelled):
        return _grouped_holdout(labelled, spec, seed)
    labels = [case.label for case in labelled]
    classes = len(set(labels))
    # Rounded down, not up as scikit-learn does: 20 % of 3,644 cases are the paper's 728.
    share = max(classes, math.floor(spec.test_fraction * len(labelled) + 1e-9))
    count = spec.test_cases or share
    if not classes <= count <= len(labelled) - classes:
        option = "test_cases" if spec.test_cases else "test_fraction"
        raise StudyError(
            f"split.{option}: {count} of {len(labelled)} labelled cases cannot be held out, since "
            f"both parts need a case of each of {classes} classes. Ask for a number in between."
        )
    cut = StratifiedShuffleSplit(1, test_size=count, random_state=seed)
    _, test = next(cut.split(labels, labels))
    return {labelled[place].case_id for place in test}


def _grouped_holdout(labelled: Sequence[Case], spec: SplitSpec, seed: int) -> set[str]:
    """Some of many folds: as near to the share as whole patients allow."""
    from sklearn.model_selection import StratifiedGroupKFold

    if spec.test_cases:
        raise StudyError(
            "split.test_cases: some patients have several cases, so an exact number cannot be "
            "held out. Use split.test_fraction."
        )
    labels = [case.label for case in labelled]
    patients = [case.patient_id for case in labelled]
    most = min(MOST_FOLDS, len(set(patients)), *Counter(labels).values())
    if most < 2:
        raise DataError(
            f"All labelled cases are of one patient, {patients[0]}, so none can be held out. Add "
            "patients, or correct patient_id."
        )
    share = Fraction(spec.test_fraction).limit_denominator(most)
    share = min(max(share, Fraction(1, most)), Fraction(most - 1, most))
    cut = StratifiedGroupKFold(share.denominator, shuffle=True, random_state=seed)
    folds = [test for _, test in cut.split(labels, labels, patients)]
    return {labelled[place].case_id for fold in folds[: share.numerator] for place in fold}


def _chosen(folds: Mapping[str, set[str]], spec: SplitSpec) -> dict[str, set[str]]:
    """The folds that are to be run, by their number."""
    numbers = range(1, spec.folds + 1) if spec.only is None else spec.only
    if beyond := [number for number in numbers if number > spec.folds]:
        raise StudyError(
            f"split.only: there is no fold {beyond[0]} of {spec.folds}. Name folds from 1 to "
            f"{spec.folds}."
        )
    names = {f"fold-{number}" for number in numbers}
    return {name: test for name, test in folds.items() if name.partition(".")[0] in names}


def _folds(labelled: Sequence[Case], folds: int, repeats: int, seed: int) -> dict[str, set[str]]:
    from sklearn.model_selection import StratifiedGroupKFold

    ids = np.array([case.case_id for case in labelled])
    labels = [case.label for case in labelled]
    patients = [case.patient_id for case in labelled]
    if len(set(patients)) < folds:
        raise StudyError(
            f"split.folds: {folds} folds need as many patients, and there are "
            f"{len(set(patients))}. Use fewer folds."
        )
    found = {}
    for repeat in range(repeats):
        cut = StratifiedGroupKFold(folds, shuffle=True, random_state=seed + repeat)
        ending = f".{repeat + 1}" if repeats > 1 else ""
        for place, (_, test) in enumerate(cut.split(ids, labels, patients), start=1):
            found[f"fold-{place}{ending}"] = set(ids[test].tolist())
    return found
