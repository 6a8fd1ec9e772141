"""What a pretraining that ended too early is advised to do leads further."""

from __future__ import annotations

import re

import pytest

from rdfc_core.config.study import PretrainSettings
from rdfc_core.pipeline.unconverged import unconverged
from rdfc_core.training.convergence import Convergence

EPOCH_STEPS = 5


@pytest.mark.parametrize("epochs", [1, 3, 8])
@pytest.mark.parametrize("steps", [None, 3, 5, 15, 40, 1000])
def test_the_larger_budget_that_is_advised_trains_for_longer(epochs, steps):
    settings = PretrainSettings(epochs=epochs, steps=steps)
    told = Convergence(settings, EPOCH_STEPS)
    told.history.append((told.budget, 3.0))
    assert not told.converged
    sentence = unconverged("", {"holdout": told})
    assert sentence is not None
    advised = re.findall(r"--set pretrain\.(epochs|steps)=(\d+)", sentence)
    assert advised
    larger = settings.model_copy(update={name: int(value) for name, value in advised})
    assert Convergence(larger, EPOCH_STEPS).budget >= 2 * told.budget
