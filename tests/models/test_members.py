"""What is saved of a method says what the method said."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from rdfc_core.evaluation import conventional_radiomics
from rdfc_core.evaluation.learners import learner
from rdfc_core.evaluation.trials import Trial
from rdfc_core.models.members import Inputs, member
from tests.support import small_setup

CASES, TRAIN = 60, 40
TRIALS = (
    Trial("probe"),
    Trial("radiomics-logistic", "C0.01"),
    Trial("image-and-radiomics", "C0.1"),
    Trial("radiomics"),
    Trial("hybrid-finetune", "paper"),
)


def silent(steps: int = 1, note: str = "", total: int | None = None) -> None:
    return


@pytest.mark.parametrize("head", ["features", "embedding"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.method)
def test_a_saved_method_says_what_it_said(trial, classes, head, monkeypatch, tmp_path):
    if head == "embedding" and trial.method != "hybrid-finetune":
        pytest.skip("has no head")
    grid = {"select__estimator__C": (0.1, 0.3), "classify__C": (0.3,)}
    monkeypatch.setattr(conventional_radiomics, "GRID", grid)
    truth = np.random.default_rng(0).permutation(np.arange(CASES) % classes)
    settings = small_setup.SETTINGS.model_copy(
        update={
            "supervised": small_setup.SETTINGS.supervised.model_copy(
                update={"head": head, "raw_features": head == "features", "epochs": 2}
            )
        }
    )
    prepared = small_setup.noise(CASES, 0)
    for place, one in enumerate(prepared["radiomics"]):
        one.array[:4] += truth[place]
        one.array[place % 30] = np.nan  # one feature of each case is missing
    made = small_setup.setup(prepared, truth, TRAIN, settings, classes=classes)
    taught = learner(made, trial, 0, silent)(np.arange(TRAIN))
    said = taught(np.arange(TRAIN, CASES))
    file = tmp_path / "member.safetensors"
    save_file({k: np.asarray(v, order="C") for k, v in taught.member().arrays().items()}, file)
    again = member(
        load_file(file),
        made.initialisation.views,
        made.initialisation.trained,
        settings.supervised,
        classes,
    )
    tested = slice(TRAIN, CASES)
    inputs = Inputs(
        learnt={name: rows[tested] for name, rows in made.learnt.items()},
        standard={"radiomics": made.cases["radiomics"].numpy()[tested]},
        measured={"radiomics": made.measured[tested]},
        cases={name: rows[tested] for name, rows in made.cases.items()},
    )
    np.testing.assert_allclose(again.predict(inputs), said, atol=1e-6)
    assert said.std(axis=0).min() > 1e-4


def test_a_saved_network_that_lacks_a_layer_is_refused():
    made = small_setup.setup(small_setup.noise(CASES, 0), np.arange(CASES) % 2, TRAIN)
    taught = learner(made, TRIALS[-1], 0, silent)(np.arange(TRAIN))
    arrays = dict(taught.member().arrays())
    arrays.pop("network.head.classes.bias")
    about = (
        made.initialisation.views,
        made.initialisation.trained,
        made.data.settings.supervised,
        2,
    )
    with pytest.raises(ValueError, match=r"lacks head\.classes\.bias"):
        member(arrays, *about)
