"""Pretext cases that measure what is learnt instead of teaching it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

MOST = 256
"""Cases held back at most: their measure does not get much surer by more."""

FEWEST = 16
"""Of fewer, a measure says nothing: none are held back, and the training loss is looked at."""


def hold_back(
    case_ids: Sequence[str], patients: Mapping[str, str], share: float, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that teach, and those that are held back, each in the order of ``case_ids``.

    Patients are held back whole, drawn at random.

    Args:
        case_ids: The pretext cases.
        patients: Case id → patient.
        share: Of the cases; 0 holds none back.
        seed: Decides the draw.
    """
    wanted = min(MOST, round(share * len(case_ids)))
    if wanted < FEWEST:
        return tuple(case_ids), ()
    names = sorted({patients[case_id] for case_id in case_ids})
    counts = dict.fromkeys(names, 0)
    for case_id in case_ids:
        counts[patients[case_id]] += 1
    held: set[str] = set()
    taken = 0
    for name in np.random.default_rng(seed).permutation(names).tolist():
        # A patient with many cases may go beyond the number wanted, but not to twice as many.
        if taken < wanted and taken + counts[name] < 2 * wanted:
            held.add(name)
            taken += counts[name]
    if taken < FEWEST or taken > len(case_ids) // 2:
        return tuple(case_ids), ()
    return (
        tuple(case_id for case_id in case_ids if patients[case_id] not in held),
        tuple(case_id for case_id in case_ids if patients[case_id] in held),
    )
