"""Shares of the labels: nested, stratified, whole patients, every class."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdfc_core.case import Case
from rdfc_core.evaluation.label_fractions import draw


def case(number: int, label: str, patient: int | None = None) -> Case:
    name = f"case-{number}"
    owner = f"patient-{number if patient is None else patient}"
    return Case(name, owner, Path(name), Path(name), label)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 25)), min_size=3, max_size=60),
    st.integers(0, 5),
)
def test_smaller_shares_lie_in_larger_ones_patients_whole_classes_complete(drawn, seed):
    cases = [case(i, label, patient) for i, (label, patient) in enumerate(drawn)]
    shares = [set(draw(cases, fraction, seed)) for fraction in (0.05, 0.2, 0.5, 1.0)]
    for smaller, larger in itertools.pairwise(shares):
        assert smaller <= larger
    assert shares[-1] == set(range(len(cases)))
    for chosen in shares:
        inside = {cases[i].patient_id for i in chosen}
        assert chosen == {i for i, one in enumerate(cases) if one.patient_id in inside}
        assert {cases[i].label for i in chosen} == {one.label for one in cases}


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.5])
def test_of_each_class_the_same_share_is_drawn(fraction):
    cases = [case(i, "rare" if i < 40 else "common") for i in range(200)]
    counts = Counter(cases[i].label for i in draw(cases, fraction, 0))
    assert counts == {"rare": round(40 * fraction), "common": round(160 * fraction)}


def test_a_class_of_few_cases_keeps_one():
    cases = [case(i, "rare" if i < 3 else "common") for i in range(100)]
    assert Counter(cases[i].label for i in draw(cases, 0.05, 0)) == {"rare": 1, "common": 5}


def test_a_seed_draws_the_same_and_another_seed_others():
    cases = [case(i, "ab"[i % 2]) for i in range(100)]
    assert draw(cases, 0.2, 1) == draw(cases, 0.2, 1)
    assert draw(cases, 0.2, 1) != draw(cases, 0.2, 2)
    # Over many draws every case is taken, and about as often as its share.
    often = Counter(i for seed in range(200) for i in draw(cases, 0.2, seed))
    assert set(often) == set(range(100))
    assert 15 < min(often.values()) < max(often.values()) < 70  # 40 ± 4.4 standard deviations
