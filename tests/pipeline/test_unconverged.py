"""What a pretraining that ended too early is advised to do leads further."""

from __future__ import annotations

import re

import pytest

from rdfc_core.config.study import PretrainSettings
from rdfc_core.data.splits import Split
from rdfc_core.pipeline.unconverged import ConvergenceRecord, unconverged
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


def early() -> Convergence:
    """One that was measured once and had not settled."""
    told = Convergence(PretrainSettings(epochs=3), EPOCH_STEPS)
    told.history.append((told.budget, 3.0))
    return told


def split(name: str, *pretext: str) -> Split:
    return Split(name, pretext, (), ())


def test_one_pretraining_is_told_of_once_and_at_once(caplog):
    shared = ConvergenceRecord.of([split("fold-0", "a", "b"), split("fold-1", "a", "b")])
    shared.add("", "fold-0", early())
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert "ended unconverged" in record.getMessage()
    assert shared.warnings() == []
    assert list(shared.facts()) == ["fold-0"]


def test_of_several_the_last_word_is_that_on_all(caplog):
    caplog.set_level("INFO", "rdfc")
    folds = ConvergenceRecord.of([split("fold-0", "a"), split("fold-1", "b")])
    for name in ("fold-0", "fold-1"):
        folds.add("simclr", name, early())
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO"]
    [sentence] = folds.warnings()
    assert "simclr, in 2 of 2 splits" in sentence
    assert list(folds.facts()) == ["fold-0.simclr", "fold-1.simclr"]
