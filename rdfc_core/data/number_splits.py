"""Splits of cases whose labels are numbers: by patient, stratified by quantiles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from rdfc_core.case import Case
from rdfc_core.data.cells import counted
from rdfc_core.data.labels import ONLY_PRETRAIN, UnsplittableError
from rdfc_core.data.numbers import numbers_of, require_numbers, stratified
from rdfc_core.data.splits import Split, divided
from rdfc_core.interfaces.dataset import SplitSpec

MOST_STRATA = 5


def make_number_splits(
    cases: Sequence[Case],
    spec: SplitSpec,
    seed: int,
    fingerprints: Mapping[str, str] | None = None,
    images: Mapping[str, str] | None = None,
) -> list[Split]:
    """The splits that the specification asks for, grouped by patient.

    Draws are stratified by quantiles of the number (of patients with several cases, of their
    mean), as many as the patients allow: strata make draws even and forbid none. What a column
    says is taken as it is.

    Args:
        cases: All usable cases, as `rdfc_core.data.numbers.with_number_labels` gives them.
        spec: The data set's protocol with the study's overrides.
        seed: Decides which patients are held out.
        fingerprints: Case id → content; equal content under two ids must not be in both parts.
        images: Case id → content of the image alone; the same.

    Raises:
        UnsplittableError: If there are too few labelled patients, or all numbers of a training part
            are alike.
        DataError: If a split would leak.
        StudyError: If the specification does not fit the cases.
    """
    require_numbers(cases)
    labelled = [case for case in cases if case.label is not None]
    patients = len({case.patient_id for case in labelled})
    if spec.kind == "folds" and not spec.fold_column and patients < spec.folds:
        raise UnsplittableError(
            f"split.folds: {counted(patients, 'patient has', 'patients have')} labelled cases, so "
            f"{spec.folds} folds cannot each test one. Use {patients} folds at most, or label more."
        )
    named = {case.case_id: case for case in stratified(labelled, _strata(spec, labelled))}
    strata = sorted({str(case.label) for case in named.values()})
    shown = [named.get(case.case_id, case) for case in cases]
    splits = divided(shown, strata, spec, seed, fingerprints, images)
    by_id = {case.case_id: case for case in labelled}
    for split in splits:
        if len(np.unique(numbers_of([by_id[case_id] for case_id in split.train]))) < 2:
            raise UnsplittableError(
                f"The labels of the training part of {split.name} are all alike, so that nothing "
                f"can be learnt from them. Correct the split, {ONLY_PRETRAIN}"
            )
    return splits


def _strata(spec: SplitSpec, labelled: Sequence[Case]) -> int:
    """As many as leave whole patients of each in every part that is drawn."""
    patients = len({case.patient_id for case in labelled})
    if spec.kind == "column" or (spec.kind == "folds" and spec.fold_column):
        return 1
    if spec.kind == "folds":
        return max(1, min(MOST_STRATA, patients // spec.folds))
    share = min(spec.test_fraction, 1 - spec.test_fraction)
    held_out = math.floor(share * patients + 1e-9)
    if spec.test_cases:
        held_out = min(spec.test_cases, patients - spec.test_cases)
    return max(1, min(MOST_STRATA, patients // 2, held_out))
