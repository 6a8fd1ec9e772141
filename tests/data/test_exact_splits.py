"""Divisions by patient against all there are: found wherever there is one, and near the best."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest

from rdfc_core.case import Case
from rdfc_core.data.exact_splits import NEAR, nearer_to_share, solved_folds
from rdfc_core.data.split_findings import split_findings
from rdfc_core.data.splits import make_splits
from rdfc_core.data.stratified_splits import folds_of_patients, holdout_of_patients
from rdfc_core.interfaces.dataset import SplitSpec

Drawn = tuple[list[str], list[str]]


def drawn_cases(seed: int) -> Drawn:
    """Labels and patients: few patients with cases of one to three classes, of uneven number."""
    random = np.random.default_rng(seed)
    labels, patients = [], []
    for patient in range(random.integers(3, 7)):
        for label in random.choice(3, random.integers(1, 4), replace=False):
            count = random.integers(1, 4) if random.random() < 0.8 else random.integers(4, 12)
            labels += [str(label)] * count
            patients += [f"p{patient}"] * count
    return labels, patients


def of_patients(*counts: tuple[str, int, int]) -> list[Case]:
    """So many patients of each class, each with so many cases."""
    return [
        Case(f"{label}{place}-{each}", f"{label}{place}", Path("image"), Path("mask"), label)
        for label, patients, cases in counts
        for place in range(patients)
        for each in range(cases)
    ]


def owned(labels: Sequence[str], patients: Sequence[str]) -> dict[str, set[str]]:
    own = defaultdict(set)
    for label, patient in zip(labels, patients, strict=True):
        own[patient].add(label)
    return own


def complete(groups: Sequence[Sequence[str]], own: dict[str, set[str]]) -> bool:
    everything = set().union(*own.values())
    return all(set().union(*(own[one] for one in group)) == everything for group in groups)


SEEDS = range(60)


@pytest.mark.parametrize("fraction", [0.2, 0.5])
def test_a_holdout_is_as_near_to_its_share_as_any_or_off_by_the_stated_share(fraction):
    judged = 0
    for seed in SEEDS:
        labels, patients = drawn_cases(seed)
        own, sizes = owned(labels, patients), Counter(patients)
        if min(Counter(label for of in own.values() for label in of).values()) < 2:
            continue
        off = [
            abs(sum(sizes[one] for one in held) / len(labels) - fraction)
            for count in range(1, len(own))
            for held in combinations(own, count)
            if complete([held, [one for one in own if one not in held]], own)
        ]
        found = holdout_of_patients(labels, patients, fraction, seed)
        assert (found is None) == (not off)
        if found is not None:
            judged += 1
            held = {patients[place] for place in found}
            assert complete([sorted(held), [one for one in own if one not in held]], own)
            assert abs(len(found) / len(labels) - fraction) <= max(NEAR, min(off)) + 1e-9
    assert judged > 20


@pytest.mark.parametrize("folds", [2, 3])
def test_folds_are_found_exactly_where_there_are_any(folds):
    there = {True: 0, False: 0}
    for seed in SEEDS:
        labels, patients = drawn_cases(seed)
        own = owned(labels, patients)
        names = sorted(own)
        exists = any(
            complete(
                [[n for n, f in zip(names, at, strict=True) if f == k] for k in range(folds)], own
            )
            for at in product(range(folds), repeat=len(names))
        )
        there[exists] += 1
        solved = solved_folds(labels, patients, folds, np.random.default_rng(0))
        assert (solved is not None) == exists
        for found in (solved, folds_of_patients(labels, patients, folds, seed) if exists else None):
            if found is None:
                continue
            groups = [sorted({patients[place] for place in fold}) for fold in found]
            assert complete(groups, own)
            assert sum(map(len, groups)) == len(own)
            assert sum(map(len, found)) == len(labels)
    assert min(there.values()) > 5


def test_what_is_near_is_left_as_it_was_drawn():
    labels, patients = ["a", "b"] * 50, [f"p{place // 2}" for place in range(100)]
    drawn = set(range(24))
    assert nearer_to_share(drawn, labels, patients, 0.2) is drawn
    assert len(nearer_to_share(drawn, labels, patients, 0.4)) == 40
    assert drawn < nearer_to_share(drawn, labels, patients, 0.4)  # and as much of it as can be


def test_a_thousand_patients_of_several_classes_are_divided(capfd):
    random = np.random.default_rng(0)
    patients = [f"p{place}" for place in random.zipf(1.3, 4000) % 1500]
    labels = [str(label) for label in random.integers(0, 6, 4000)]
    few = {place for place, patient in enumerate(patients) if patient in ("p2", "p3")}
    assert len(nearer_to_share(few, labels, patients, 0.3)) == pytest.approx(1200, abs=1)
    found = solved_folds(labels, patients, 5, random)
    assert found is not None
    assert all({labels[place] for place in fold} == set(labels) for fold in found)
    assert capfd.readouterr() == ("", "")


def test_a_share_that_patients_do_not_allow_is_told_of():
    spec = SplitSpec(test_fraction=0.1)
    four = make_splits(of_patients(("a", 2, 5), ("b", 2, 5)), spec, 0)
    [problem] = split_findings(four, spec, 2)
    assert "holds 10 of 20 labelled cases (50%) where 10% are asked for" in problem.message
    even = make_splits(of_patients(("a", 10, 5), ("b", 10, 5)), SplitSpec(), 0)
    assert not list(split_findings(even, SplitSpec(), 2))
    few = make_splits(of_patients(("a", 2, 1), ("b", 2, 1)), SplitSpec(), 0)
    assert len(few[0].test) == 2  # a case of each class, and no fewer are possible
    assert not list(split_findings(few, SplitSpec(), 2))
    spec = SplitSpec(kind="folds", folds=2)
    uneven = [
        *of_patients(("a", 4, 1), ("b", 4, 1)),
        *(Case(f"big{k}", "big", Path("image"), Path("mask"), "a") for k in range(30)),
    ]
    [problem] = split_findings(make_splits(uneven, spec, 0), spec, 2)
    assert "folds differ in size" in problem.message
