"""Shares of the training labels: nested, stratified, by patient, with a case of every class."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from rdfc_core.case import Case


def draw(cases: Sequence[Case], fraction: float, seed: int) -> list[int]:
    """The places of the cases whose labels are taken, in their order.

    For one seed a smaller share is part of every larger one. Patients are drawn whole: of the
    patients of each class the same share, and whatever the share, a patient of every class. A
    patient with several classes counts for the rarest.

    Args:
        cases: N labelled training cases.
        fraction: Share of the labels, above 0; 1 takes all.
        seed: Decides the draw.
    """
    if fraction >= 1:
        return list(range(len(cases)))
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
