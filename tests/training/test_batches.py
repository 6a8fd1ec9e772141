"""Few labels and many are trained in batches of one size, for a number of steps with bounds."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from rdfc_core.config.supervised_settings import SupervisedSettings
from rdfc_core.training.batches import endless_batches, label_steps


@pytest.mark.parametrize("cases", [3, 8, 20])
def test_every_case_comes_as_often_as_any_other(cases):
    batches = endless_batches(cases, 8, torch.Generator().manual_seed(0))
    drawn = torch.cat(list(islice(batches, cases)))
    assert len(drawn) == 8 * cases
    assert torch.bincount(drawn, minlength=cases).tolist() == [8] * cases


def test_batches_are_of_one_size_and_follow_the_seed():
    first, again, other = (
        list(islice(endless_batches(5, 4, torch.Generator().manual_seed(seed)), 6))
        for seed in (1, 1, 2)
    )
    assert {len(one) for one in first} == {4}
    assert torch.equal(torch.stack(first), torch.stack(again))
    assert not torch.equal(torch.stack(first), torch.stack(other))


@pytest.mark.parametrize(
    ("cases", "expected"), [(10, 300), (320, 300), (640, 600), (64000, 1200), (33, 300)]
)
def test_steps_follow_the_epochs_between_floor_and_ceiling(cases, expected):
    settings = SupervisedSettings(epochs=30, batch_size=32, min_steps=300, max_steps=1200)
    assert label_steps(cases, settings) == expected


def test_without_bounds_the_epochs_decide():
    assert label_steps(65, SupervisedSettings(epochs=2, batch_size=32)) == 6


def test_a_floor_above_the_ceiling_is_refused():
    with pytest.raises(ValueError, match="min_steps \\(5\\) is above max_steps \\(4\\)"):
        SupervisedSettings(min_steps=5, max_steps=4)
