"""Cases that measure what is learnt: of whole patients, and no more than are needed."""

from __future__ import annotations

import pytest

from rdfc_core.training.held_back import FEWEST, MOST, hold_back


def pretext(patients, each):
    owners = {f"{p}-{k}": f"p{p}" for p in range(patients) for k in range(each)}
    return list(owners), owners


@pytest.mark.parametrize(("patients", "each"), [(400, 1), (200, 3), (22, 60)])
def test_no_patient_teaches_and_measures(patients, each):
    ids, owners = pretext(patients, each)
    taught, held = hold_back(ids, owners, 0.1, seed=3)
    assert sorted([*taught, *held]) == sorted(ids)
    assert not {owners[one] for one in taught} & {owners[one] for one in held}
    assert 0.05 * len(ids) <= len(held) <= 0.2 * len(ids)


def test_many_cases_hold_back_no_more_than_are_needed():
    ids, owners = pretext(20_000, 1)
    assert len(hold_back(ids, owners, 0.1, seed=0)[1]) == MOST


@pytest.mark.parametrize(("patients", "each"), [(10, 10), (2, 200), (1, 500)])
def test_where_too_few_could_be_held_back_none_are(patients, each):
    ids, owners = pretext(patients, each)
    assert hold_back(ids, owners, 0.1, seed=0) == (tuple(ids), ())


def test_none_are_held_back_unless_asked_for():
    ids, owners = pretext(1000, 1)
    assert hold_back(ids, owners, 0.0, seed=0) == (tuple(ids), ())
    assert len(hold_back(ids, owners, 0.1, seed=0)[1]) >= FEWEST


def test_the_seed_decides_who_is_held_back():
    ids, owners = pretext(300, 1)
    assert hold_back(ids, owners, 0.1, 1) == hold_back(ids, owners, 0.1, 1)
    assert hold_back(ids, owners, 0.1, 1) != hold_back(ids, owners, 0.1, 2)
