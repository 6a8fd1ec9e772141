"""Draw hold-out parts and folds by patient, with every class in each part where that is possible.

scikit-learn's stratified draws come near to the shares of the classes, and may leave a rare class
out of a part. Its draw is kept where it holds every class; otherwise it is drawn again, and in the
end put together.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np

from rdfc_core.data.exact_splits import NEAR, nearer_to_share, solved_folds

MOST_FOLDS = 20
"""A share of patients is held out as some of at most so many folds."""
DRAWS = 20
"""Tries before parts are put together."""
MOST_STEPS = 20_000
"""Of the search for a patient of each class on either side; far more than real data need."""


def holdout_of_cases(labels: Sequence[str], count: int, seed: int) -> set[int]:
    """Places of ``count`` cases to hold out, each case of a patient of its own.

    Args:
        labels: N classes, each of them twice or more.
        count: At least the number of classes, and at most N less that number.
        seed: Decides which.
    """
    from sklearn.model_selection import StratifiedShuffleSplit

    cut = StratifiedShuffleSplit(1, test_size=count, random_state=seed)
    _, drawn = next(cut.split(labels, labels))
    test = set(drawn.tolist())
    train = set(range(len(labels))) - test
    rng = np.random.default_rng([seed, 1])
    for label in sorted(set(labels)):
        for part, other in ((test, train), (train, test)):
            if not any(labels[place] == label for place in part):
                _swap(label, labels, part, other, rng)
    return test


def _swap(
    label: str, labels: Sequence[str], part: set[int], other: set[int], rng: np.random.Generator
) -> None:
    """Give a part a case of a class that it lacks, for one of the class it has most of."""
    often = Counter(labels[place] for place in part)
    most = min(often, key=lambda name: (-often[name], name))
    gained = int(rng.choice(sorted(place for place in other if labels[place] == label)))
    lost = int(rng.choice(sorted(place for place in part if labels[place] == most)))
    part.add(gained)
    part.remove(lost)
    other.add(lost)
    other.remove(gained)


def holdout_of_patients(
    labels: Sequence[str], patients: Sequence[str], fraction: float, seed: int
) -> set[int] | None:
    """Places of the cases of some patients: as near to the share as whole patients allow.

    Args:
        labels: N classes, each of two patients or more.
        patients: Their patients.
        fraction: Share of the cases to hold out.
        seed: Decides which.

    Returns:
        None if no division by patient puts every class on both sides.
    """
    most = min(MOST_FOLDS, len(set(patients)), *Counter(labels).values())
    share = Fraction(fraction).limit_denominator(most)
    share = min(max(share, Fraction(1, most)), Fraction(most - 1, most))
    everything = set(labels)
    first: set[int] | None = None
    for drawn in _seeds(seed):
        folds = _stratified(tuple(labels), tuple(patients), share.denominator, drawn)
        test = {place for fold in folds[: share.numerator] for place in fold}
        train = set(range(len(labels))) - test
        if all({labels[place] for place in part} == everything for part in (test, train)):
            return nearer_to_share(test, labels, patients, fraction)
        first = test if first is None else first
    sides = _sides(labels, patients, seed)
    if sides is None:
        return None
    held, kept = sides
    assert first is not None
    test = {
        place
        for place, patient in enumerate(patients)
        if patient in held or (place in first and patient not in kept)
    }
    return nearer_to_share(test, labels, patients, fraction)


def folds_of_patients(
    labels: Sequence[str], patients: Sequence[str], folds: int, seed: int
) -> list[set[int]] | None:
    """Places of the cases that each fold tests, whole patients, every class in every fold.

    Where a draw has a fold much larger than the others, the most even of `DRAWS` is taken.

    Args:
        labels: N classes, each of ``folds`` patients or more.
        patients: Their patients.
        folds: How many.
        seed: Decides who stands where.

    Returns:
        None if there is no such division, as where few patients have cases of several classes.
    """
    everything = set(labels)
    even: Sequence[frozenset[int]] = ()
    for drawn in _seeds(seed):
        for found in (
            _stratified(tuple(labels), tuple(patients), folds, drawn),
            _dealt(labels, patients, folds, np.random.default_rng([seed, drawn])),
        ):
            if all({labels[place] for place in fold} == everything for fold in found):
                largest = max(map(len, found))
                if largest <= (1 / folds + NEAR) * len(labels):
                    return [set(fold) for fold in found]
                if not even or largest < max(map(len, even)):
                    even = found
    if even:
        return [set(fold) for fold in even]
    return solved_folds(labels, patients, folds, np.random.default_rng([seed, 4]))


def _seeds(seed: int) -> Iterator[int]:
    """The seed itself, then others that follow from it."""
    yield seed
    rng = np.random.default_rng([seed, 2])
    for _ in range(DRAWS - 1):
        yield int(rng.integers(2**31))


@lru_cache(maxsize=8)  # a study is split before its cases are measured, and after: seconds each
def _stratified(
    labels: tuple[str, ...], patients: tuple[str, ...], folds: int, seed: int
) -> tuple[frozenset[int], ...]:
    from sklearn.model_selection import StratifiedGroupKFold

    cut = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of rare classes: they are looked at here
        parts = cut.split(labels, labels, patients)
        return tuple(frozenset(test.tolist()) for _, test in parts)


def _owners(labels: Sequence[str], patients: Sequence[str]) -> dict[str, list[str]]:
    """Class → its patients, the rarest class first."""
    owners: dict[str, dict[str, None]] = defaultdict(dict)
    for label, patient in zip(labels, patients, strict=True):
        owners[label][patient] = None
    return {label: list(owners[label]) for label in sorted(owners, key=lambda o: len(owners[o]))}


def _dealt(
    labels: Sequence[str], patients: Sequence[str], folds: int, rng: np.random.Generator
) -> tuple[frozenset[int], ...]:
    """The patients of each class dealt out one by one, the rarest class first."""
    cases = Counter(zip(patients, labels, strict=True))
    fold_of: dict[str, int] = {}
    own = [Counter[str]() for _ in range(folds)]  # class → patients in the fold
    held = [Counter[str]() for _ in range(folds)]  # class → cases in the fold
    for label, owners in _owners(labels, patients).items():
        waiting = [patient for patient in owners if patient not in fold_of]
        rng.shuffle(waiting)
        for patient in sorted(waiting, key=lambda one: -cases[one, label]):
            fold = min(range(folds), key=lambda f: (own[f][label], held[f][label], held[f].total()))
            fold_of[patient] = fold
            for other in set(labels):
                if cases[patient, other]:
                    own[fold][other] += 1
                    held[fold][other] += cases[patient, other]
    found: list[set[int]] = [set() for _ in range(folds)]
    for place, patient in enumerate(patients):
        found[fold_of[patient]].add(place)
    return tuple(frozenset(fold) for fold in found)


def _sides(
    labels: Sequence[str], patients: Sequence[str], seed: int
) -> tuple[set[str], set[str]] | None:
    """Some patients for the test part and others for training, with every class on both sides.

    None if there are none. The search is complete but for its limit of steps, which real data do
    not come near: it finds its patients at once wherever classes have patients of their own.
    """
    rng = np.random.default_rng([seed, 3])
    owners = list(_owners(labels, patients).values())
    for of_class in owners:
        rng.shuffle(of_class)
    steps = 0

    def place(
        depth: int, test: Mapping[str, None], train: Mapping[str, None]
    ) -> tuple[set[str], set[str]] | None:
        nonlocal steps
        if depth == len(owners):
            return set(test), set(train)
        for held in sorted(owners[depth], key=lambda one: one not in test):
            for kept in sorted(owners[depth], key=lambda one: one not in train):
                steps += 1
                if steps > MOST_STEPS:
                    return None
                if held == kept or held in train or kept in test:
                    continue
                found = place(depth + 1, {**test, held: None}, {**train, kept: None})
                if found is not None:
                    return found
        return None

    return place(0, {}, {})


def share_of(count: int, fraction: float, classes: int) -> int:
    """Cases to hold out of ``count``: rounded down, not up as scikit-learn does.

    20 % of 3,644 cases are the paper's 728. Each class needs one at least.
    """
    return max(classes, math.floor(fraction * count + 1e-9))
