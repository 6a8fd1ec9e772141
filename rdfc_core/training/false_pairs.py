"""Views of different cases shown together: what pretraining learns where nothing corresponds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def false_pairs(
    case_ids: Sequence[str], patients: Mapping[str, str], views: Sequence[str], seed: int
) -> dict[str, tuple[str, ...]]:
    """View name → whose view stands in each place; no two views of a place are of one case.

    The first view keeps its order. All cases lie on a circle, patient by patient in random order,
    and each further view is taken one step further on; the step leads to another patient where the
    largest patient leaves room for it.

    Args:
        case_ids: The N cases.
        patients: Case id → patient.
        views: The V views, V ≤ N.
        seed: Decides the circle.
    """
    count = len(case_ids)
    by_patient: dict[str, list[str]] = {}
    for case_id in case_ids:
        by_patient.setdefault(patients[case_id], []).append(case_id)
    names = np.random.default_rng(seed).permutation(sorted(by_patient)).tolist()
    circle = [case_id for name in names for case_id in by_patient[name]]
    largest = max(map(len, by_patient.values()), default=0)
    step = largest if len(views) * largest <= count else max(1, count // max(1, len(views)))
    place = {case_id: i for i, case_id in enumerate(circle)}
    return {
        name: tuple(circle[(place[case_id] + turn * step) % count] for case_id in case_ids)
        for turn, name in enumerate(views)
    }
