"""Labels needed: curves whose crossing is known, read backwards with intervals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.labels_needed import (
    NeededShare,
    Reading,
    interval_of_shares,
    labels_needed,
)
from rdfc_core.evaluation.linear_probe import Variant

CASES = 800
SHARES = (0.01, 0.1, 1.0)


def judged(alike: bool = False, **right: tuple[float, ...]) -> dict[Variant, list[Prediction]]:
    """Method → its variants: so many cases are right, in an order of each method, or one of all."""
    rng = np.random.default_rng(0)
    order, truth = rng.permutation(CASES), np.arange(CASES) % 2
    ids = tuple(f"c{i}" for i in range(CASES))
    found = {}
    for method, chances in right.items():
        order = order if alike else rng.permutation(CASES)
        for share, chance in zip(SHARES, chances, strict=True):
            wrong = order[round(chance * CASES) :]
            predicted = truth.copy()
            predicted[wrong] = 1 - predicted[wrong]
            table = "supervised" if share == 1 else "label-efficiency"
            variant = Variant(table, method.replace("_", "-"), "both", "features", "head", share)
            found[variant] = [Prediction("s", ids, ids, truth, np.eye(2)[predicted] * 0.8 + 0.1)]
    return found


def one(found: list[NeededShare], share: float) -> NeededShare:
    (wanted,) = [told for told in found if told.label_fraction == share]
    return wanted


def needed(resamples: int = 400, **right: Any) -> list[NeededShare]:
    return labels_needed(judged(**right), resamples, 0.95, 0)


def test_a_curve_one_step_higher_needs_a_tenth_of_the_labels():
    found = needed(hybrid_finetune=(0.7, 0.79, 0.9), hybrid_scratch=(0.6, 0.7, 0.8))
    told = one(found, 0.01)
    assert told.share == pytest.approx(0.1, rel=0.02)
    assert told.low < told.share < told.high
    assert one(found, 0.1).share == pytest.approx(10**-0.1, rel=0.05)
    assert one(found, 1.0).share == math.inf == one(found, 1.0).high


def test_between_two_shares_it_is_read_on_the_logarithm():
    found = needed(hybrid_finetune=(0.7, 0.75, 0.9), hybrid_scratch=(0.6, 0.7, 0.8))
    assert one(found, 0.1).share == pytest.approx(math.sqrt(0.1), rel=0.03)


def test_what_the_smallest_share_does_as_well_is_told_as_at_most():
    found = needed(hybrid_finetune=(0.6, 0.65, 0.7), hybrid_scratch=(0.8, 0.85, 0.9))
    assert {told.share for told in found} == {told.least for told in found} == {0.01}


def test_a_curve_that_falls_in_between_is_made_to_rise():
    rising = needed(hybrid_finetune=(0.74, 0.8, 0.9), hybrid_scratch=(0.7, 0.7, 0.8))
    falling = needed(hybrid_finetune=(0.74, 0.8, 0.9), hybrid_scratch=(0.75, 0.65, 0.8))
    # 0.75 and 0.65 are pooled to 0.7.
    assert one(falling, 0.01).share == pytest.approx(one(rising, 0.01).share, rel=1e-2)


def test_both_are_resampled_together():
    curves = {"hybrid_finetune": (0.7, 0.8, 0.9), "hybrid_scratch": (0.6, 0.7, 0.8)}
    # Right and wrong on the same cases, they are equal in every resample: there is no doubt.
    alike, apart = (one(needed(alike=alike, **curves), 0.01) for alike in (True, False))
    assert alike.low == pytest.approx(0.1) == alike.high
    assert apart.low < 0.08 < 0.12 < apart.high


def test_without_a_pretrained_method_or_a_second_share_there_is_nothing_to_tell():
    assert needed(hybrid_scratch=(0.6, 0.7, 0.8), radiomics=(0.6, 0.7, 0.8)) == []
    whole = judged(hybrid_finetune=(0.7, 0.8, 0.9), hybrid_scratch=(0.6, 0.7, 0.8))
    only = {variant: found for variant, found in whole.items() if variant.label_fraction == 1}
    assert labels_needed(only, 10, 0.95, 0) == []


def test_resamples_in_which_the_metric_is_undefined_are_left_out():
    reference = {0.1: np.array([0.6, 0.6, np.nan]), 1.0: np.array([0.8, 0.8, 0.8])}
    found = Reading(reference).share_of(np.array([0.7, np.nan, 0.7]))
    assert found[0] == pytest.approx(math.sqrt(0.1))
    assert np.isnan(found[1:]).all()
    assert all(math.isnan(end) for end in interval_of_shares(found, 0.95))
    assert interval_of_shares(np.array([0.5, 0.4, np.nan, 0.6]), 0.95) == (0.4, 0.6)
