"""Shares of the training labels: nested, stratified, with a case of every class."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from rdfc_core.case import Case
from rdfc_core.config.evaluate_settings import LabelUnit


def draw(
    cases: Sequence[Case], fraction: float, seed: int, unit: LabelUnit = "patient"
) -> list[int]:
    """The places of the cases whose labels are taken, in their order.

    For one seed a smaller share is part of every larger one. Of each class the same share is
    drawn, and whatever the share, one of every class.

    Args:
        cases: N labelled training cases.
        fraction: Share of the labels, above 0; 1 takes all.
        seed: Decides the draw.
        unit: What is drawn: ``patient``, with all cases (a patient with several classes counts for
            the rarest), or ``case``, where every lesion needs a diagnosis of its own.
    """
    if fraction >= 1:
        return list(range(len(cases)))
    return _cases(cases, fraction, seed) if unit == "case" else _patients(cases, fraction, seed)


def _cases(cases: Sequence[Case], fraction: float, seed: int) -> list[int]:
    of_class: dict[str | None, list[int]] = defaultdict(list)
    for place in np.random.default_rng(seed).permutation(len(cases)).tolist():
        of_class[cases[place].label].append(place)
    return sorted(
        place
        for members in of_class.values()
        for place in members[: max(1, round(fraction * len(members)))]
    )


def _patients(cases: Sequence[Case], fraction: float, seed: int) -> list[int]:
    counts = Counter(case.label for case in cases)
    labels: dict[str, set[str | None]] = defaultdict(set)
    for case in cases:
        labels[case.patient_id].add(case.label)
    patients = sorted(labels)
    np.random.default_rng(seed).shuffle(patients)
    strata: dict[str | None, list[str]] = defaultdict(list)
    for patient in patients:
        rarest = min(labels[patient], key=lambda label: (counts[label], str(label)))
        strata[rarest].append(patient)
    chosen = {next(p for p in patients if label in labels[p]) for label in counts}
    for members in strata.values():
        chosen |= set(members[: round(fraction * len(members))])
    return [place for place, case in enumerate(cases) if case.patient_id in chosen]
