"""Divisions of patients that draws do not find, by integer programming: folds and shares."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from rdfc_core.utils.native_output import native_output_silenced

MOST_NODES = 2_000
"""Of the search tree; real data need a few."""
NEAR = 0.05
"""A share of the cases that is so near to the one asked for is left as it was drawn."""
LIKE_DRAWN = 0.01
"""Weight of being like the draw: less than any difference between shares, in cases."""
HALF = 0.5


def solved_folds(
    labels: Sequence[str], patients: Sequence[str], folds: int, rng: np.random.Generator
) -> list[set[int]] | None:
    """Places of the cases of each fold, every class in each, by an exact search.

    Patients with the same classes are interchangeable, so that how many of each kind go to each
    fold is an integer programme; the largest fold has as few patients as possible.

    Args:
        labels: N classes.
        patients: Their patients.
        folds: How many.
        rng: Deals out the patients of a kind.

    Returns:
        None if there is no such division, or none was found within `MOST_NODES`.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    own = _classes_of(labels, patients)
    kinds: dict[frozenset[str], list[str]] = defaultdict(list)
    for patient, classes in own.items():
        kinds[classes].append(patient)
    names, count = list(kinds), len(kinds) * folds
    rows: list[np.ndarray] = []
    least: list[float] = []
    most: list[float] = []

    def limit(counted: np.ndarray, largest: float, low: float, high: float) -> None:
        rows.append(np.append(counted.reshape(-1), largest))
        least.append(low)
        most.append(high)

    for place, name in enumerate(names):
        of_kind = np.zeros((len(names), folds))
        of_kind[place] = 1
        limit(of_kind, 0, len(kinds[name]), len(kinds[name]))
    for fold in range(folds):
        for label in sorted(set(labels)):
            holders = np.zeros((len(names), folds))
            holders[[label in name for name in names], fold] = 1
            limit(holders, 0, 1, np.inf)
        of_fold = np.zeros((len(names), folds))
        of_fold[:, fold] = 1
        limit(of_fold, -1, -np.inf, 0)
    with native_output_silenced():  # HiGHS prints now and then
        found = milp(
            np.append(np.zeros(count), 1.0),
            integrality=np.append(np.ones(count), 0),
            bounds=Bounds(0, np.inf),
            constraints=LinearConstraint(np.array(rows), least, most),
            options={"node_limit": MOST_NODES},
        )
    if found.x is None:
        return None
    amounts = np.rint(found.x[:-1]).astype(int).reshape(len(names), folds)
    return _deal(patients, [kinds[name] for name in names], amounts, rng)


def _deal(
    patients: Sequence[str],
    kinds: Sequence[list[str]],
    amounts: np.ndarray,
    rng: np.random.Generator,
) -> list[set[int]]:
    """The patients of each kind, those with most cases first, to the fold with fewest cases."""
    sizes = Counter(patients)
    fold_of: dict[str, int] = {}
    held = np.zeros(amounts.shape[1])
    for members, left in zip(kinds, amounts.copy(), strict=True):
        rng.shuffle(members)
        for patient in sorted(members, key=lambda one: -sizes[one]):
            fold = int(np.argmin(np.where(left > 0, held, np.inf)))
            fold_of[patient], left[fold] = fold, left[fold] - 1
            held[fold] += sizes[patient]
    found: list[set[int]] = [set() for _ in range(amounts.shape[1])]
    for place, patient in enumerate(patients):
        found[fold_of[patient]].add(place)
    return found


def nearer_to_share(
    test: set[int], labels: Sequence[str], patients: Sequence[str], fraction: float
) -> set[int]:
    """A hold-out with the share of the cases nearest to the one asked for, where it is far off.

    Of all divisions by patient with every class on either side it is the nearest, and among
    those the one most like the draw.

    Args:
        test: Places of the cases that are drawn, of whole patients, with every class on either
            side.
        labels: N classes.
        patients: Their patients.
        fraction: Share of the cases that is asked for.
    """
    wanted = fraction * len(labels)
    if abs(len(test) - wanted) <= NEAR * len(labels):
        return test
    from scipy.optimize import Bounds, LinearConstraint, milp

    own, counts = _classes_of(labels, patients), Counter(patients)
    sizes = np.array([counts[patient] for patient in own], float)
    drawn = {patients[place] for place in test}
    # One unknown a patient, 1 if held out; then by how many cases the share is missed.
    changed = np.array([-1.0 if patient in drawn else 1.0 for patient in own])
    holders = np.array([[label in own[p] for p in own] for label in sorted(set(labels))], float)
    beside = np.zeros((len(holders), 1))
    rows = np.vstack([np.append(sizes, -1), np.append(-sizes, -1), np.hstack([holders, beside])])
    least = [-np.inf, -np.inf, *np.ones(len(holders))]
    most = [wanted, -wanted, *(holders.sum(axis=1) - 1)]
    with native_output_silenced():
        found = milp(
            np.append(LIKE_DRAWN * changed / len(own), 1.0),
            integrality=np.append(np.ones(len(own)), 0),
            bounds=Bounds(0, np.append(np.ones(len(own)), np.inf)),
            constraints=LinearConstraint(rows, least, most),
            options={"node_limit": MOST_NODES},
        )
    if found.x is None:
        return test
    held = {patient for patient, chosen in zip(own, found.x, strict=False) if chosen > HALF}
    return {place for place, patient in enumerate(patients) if patient in held}


def _classes_of(labels: Sequence[str], patients: Sequence[str]) -> dict[str, frozenset[str]]:
    """Patient → the classes of their cases."""
    own: dict[str, set[str]] = defaultdict(set)
    for label, patient in zip(labels, patients, strict=True):
        own[patient].add(label)
    return {patient: frozenset(classes) for patient, classes in own.items()}
