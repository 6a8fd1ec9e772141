"""Nothing of the test part is learnt: by any method, in scaling, selection, training or choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.config.supervised_settings import SupervisedSettings
from rdfc_core.evaluation import conventional_radiomics, supervised, trial_runner
from rdfc_core.evaluation.label_fractions import draw
from rdfc_core.evaluation.learners import learner
from rdfc_core.evaluation.supervised_setup import SupervisedSetup
from rdfc_core.evaluation.trial_runner import TrialRunner
from rdfc_core.evaluation.trial_store import TrialStore
from rdfc_core.evaluation.trials import Trial
from rdfc_core.models.temperature import tempered
from rdfc_core.results.vocabulary import BLOCK_METHODS, CLASSIFICATION, METHODS, PROBE, fits
from rdfc_core.utils.progress import Progress
from tests.support import small_setup


def judged_tuning(method: str) -> str:
    if method in BLOCK_METHODS:
        return list(small_setup.SETTINGS.penalties)[1]
    return "paper" if method == "hybrid-finetune" else ""


TRIALS = [
    *(Trial(method, judged_tuning(method)) for method in METHODS if fits(method, CLASSIFICATION)),
    Trial("hybrid-finetune", "from-probe"),
    Trial(PROBE),
]
CASES, TRAIN = 80, 48


@pytest.fixture(autouse=True)
def _few_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something to choose between, and no more: the whole grid takes seconds."""
    grid = {"select__estimator__C": (0.1, 0.3), "classify__C": (0.3,)}
    monkeypatch.setattr(conventional_radiomics, "GRID", grid)


def silent(steps: int = 1, note: str = "", total: int | None = None) -> None:
    return


def say(setup: SupervisedSetup, trial: Trial, rows: Any = None) -> Any:
    """What the trial says of the test part after training on rows, by default the training part."""
    rows = np.arange(TRAIN) if rows is None else rows
    return learner(setup, trial, 0, silent)(rows)(np.arange(TRAIN, CASES))


def memorising(epochs: int) -> EvaluateSettings:
    """Settings with which networks learn their cases by heart."""
    options = {"epochs": epochs, "batch_size": 16, "optimizer": "adamw", "learning_rate": 0.02}
    supervised = small_setup.SETTINGS.supervised.model_dump() | options
    return small_setup.SETTINGS.model_copy(
        update={"supervised": SupervisedSettings.model_validate(supervised)}
    )


def area(setup: SupervisedSetup, trial: Trial, rows: Any = None) -> float:
    return float(roc_auc_score(setup.data.truth[TRAIN:], say(setup, trial, rows)[:, 1]))


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: f"{trial.method}-{trial.tuning}")
def test_without_signal_every_method_ends_at_chance_and_with_a_leak_it_would_not(trial):
    """Labels have nothing to do with the cases; several deals, so that luck averages out."""
    honest, leaking = [], []
    for deal in range(4):
        rng = np.random.default_rng(deal)
        truth = rng.permutation(np.arange(CASES) % 2)
        setup = small_setup.setup(
            small_setup.noise(CASES, deal), truth, TRAIN, memorising(epochs=12), columns=True
        )
        honest.append(area(setup, trial))
        leaking.append(area(setup, trial, np.arange(TRAIN, CASES)))
    # 32 test cases: one AUROC is 0.5 ± 0.10, the mean of four ± 0.05.
    assert np.mean(honest) == pytest.approx(0.5, abs=0.17)
    assert np.mean(leaking) > 0.65


def altered(prepared: Mapping[str, Any]) -> dict[str, Any]:
    """The same training cases and a first test case; all other test cases of another world."""
    other = small_setup.noise(CASES, 1234)
    changed = {}
    for name, cases in prepared.items():
        strange = [replace(one, array=one.array * 50 + 7) for one in other[name][TRAIN + 1 :]]
        changed[name] = [*cases[: TRAIN + 1], *strange]
    return changed


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: f"{trial.method}-{trial.tuning}")
def test_other_test_cases_change_nothing_of_what_is_said_of_a_case(trial):
    truth = np.arange(CASES) % 2
    prepared = small_setup.noise(CASES, 0)
    one = small_setup.setup(prepared, truth, TRAIN, columns=True)
    other = small_setup.setup(
        altered(prepared), np.r_[truth[: TRAIN + 1], 1 - truth[TRAIN + 1 :]], TRAIN, columns=True
    )
    said = [say(setup, trial) for setup in (one, other)]
    np.testing.assert_array_equal(said[0][0], said[1][0])
    assert not np.array_equal(said[0][1:], said[1][1:])


def test_scaler_and_selection_are_fitted_on_the_training_rows_they_are_given():
    truth = np.arange(CASES) % 2
    prepared = small_setup.noise(CASES, 0)
    one = small_setup.setup(prepared, truth, TRAIN, columns=True)
    other = small_setup.setup(altered(prepared), truth, TRAIN, columns=True)
    states = [setup.initialisation.views["radiomics"].state() for setup in (one, other)]
    for key in states[0]:
        np.testing.assert_array_equal(states[0][key], states[1][key])


class Watched:
    """Rows of a tensor or an array; notes which were asked for."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self.asked: list[int] = []

    def __getitem__(self, places: Any) -> Any:
        self.asked += np.arange(len(self.rows))[places].ravel().tolist()
        return self.rows[places]


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: f"{trial.method}-{trial.tuning}")
def test_training_asks_for_no_row_but_those_it_was_given(trial):
    truth = np.arange(CASES) % 2
    setup = small_setup.setup(small_setup.noise(CASES, 0), truth, TRAIN, columns=True)
    labels = Watched(setup.data.truth)
    watched = [Watched(rows) for rows in (*setup.cases.values(), *setup.learnt.values())]
    measured = Watched(setup.measured)
    blocks = {name: replace(b, table=Watched(b.table)) for name, b in setup.blocks.items()}
    seen = replace(
        setup,
        data=replace(setup.data, truth=labels),  # type: ignore[arg-type]
        cases=dict(zip(setup.cases, watched, strict=False)),  # type: ignore[arg-type]
        learnt=dict(zip(setup.learnt, watched[len(setup.cases) :], strict=True)),
        measured=measured,  # type: ignore[arg-type]
        blocks=blocks,  # type: ignore[arg-type]
    )
    tables = [block.table for block in blocks.values()]
    given = [1, 4, 5, 8, 20, 23, 31, 46]
    predict = learner(seen, trial, 0, silent)(np.array(given))
    asked = {row for one in (labels, measured, *watched, *tables) for row in one.asked}
    assert asked == set(given)
    predict(np.array([60]))
    assert 60 in {row for one in (measured, *watched, *tables) for row in one.asked}
    assert 60 not in labels.asked


def test_a_study_s_trials_train_on_the_training_part_and_its_temperature_too(tmp_path):
    settings = small_setup.SETTINGS.model_copy(
        update={"temperature_scaling": True, "label_fractions": (0.3,), "label_seeds": 1}
    )
    truth = np.arange(CASES) % 2
    setup = small_setup.setup(small_setup.noise(CASES, 0), truth, TRAIN, settings)
    labels = Watched(setup.data.truth)
    labels_seen = replace(setup, data=replace(setup.data, truth=labels))  # type: ignore[arg-type]
    object.__setattr__(labels_seen.data, "prediction", lambda said, repeat, rows: said)
    told = list(supervised.judge(TrialRunner(labels_seen, TrialStore(tmp_path), Progress())))
    assert {variant.table for variant, _ in told} == {"supervised", "label-efficiency"}
    assert {variant.classifier for variant, _ in told} >= {"svm+temperature", "head+temperature"}
    assert set(labels.asked) == set(range(TRAIN))


@pytest.mark.parametrize(
    ("unseen", "expected"), [(0.7, lambda n: (n + 1) / (n + 2)), (0.3, lambda n: 0.5)]
)
def test_a_temperature_is_fitted_to_what_is_said_of_cases_held_back(
    unseen, expected, monkeypatch, tmp_path
):
    """A method that is sure of its training cases, and gives others' class this probability."""
    settings = small_setup.SETTINGS.model_copy(
        update={"temperature_scaling": True, "methods": ("radiomics",), "label_fractions": (0.25,)}
    )
    truth = np.random.default_rng(0).permutation(np.arange(CASES) % 2)
    setup = small_setup.setup(small_setup.noise(CASES, 0), truth, TRAIN, settings)

    def learn(rows: Any) -> Any:
        def say_of(asked: Any) -> Any:
            own = np.where(np.isin(asked, rows), 0.99, unseen)[:, None]
            return np.where(np.eye(2)[truth[asked]] == 1, own, 1 - own)

        return say_of

    monkeypatch.setattr(trial_runner, "learner", lambda *_: learn)
    trial = Trial("radiomics", "", 0.25, 0)
    list(supervised.judge(TrialRunner(setup, TrialStore(tmp_path), Progress())))
    kept = TrialStore(tmp_path).read("holdout", trial, setup.data.split.test)
    assert kept is not None
    drawn = draw(setup.data.cases[:TRAIN], 0.25, 0)
    assert np.bincount(truth[drawn]).tolist() == [len(drawn) // 2] * 2
    calibrated = tempered(np.array([[0.7, 0.3]]), kept.temperature or 0)[0, 0]
    assert calibrated == pytest.approx(expected(len(drawn) // 2), abs=1e-3)


def test_a_trivially_memorised_test_part_is_not_memorised():
    """Each test case's picture is the label, upside down in training: a peek would show at once."""
    rng = np.random.default_rng(0)
    truth = rng.permutation(np.arange(CASES) % 2)
    prepared = small_setup.noise(CASES, 0)
    for place in range(CASES):
        told = truth[place] if place < TRAIN else 1 - truth[place]
        prepared["image"][place].array[:] = told
        prepared["radiomics"][place].array[:] = 3.0 * told + 0.01 * rng.normal(
            size=small_setup.FEATURES
        )
        prepared["columns"][place].array[:] = told
    setup = small_setup.setup(prepared, truth, TRAIN, memorising(epochs=12), columns=True)
    for trial in TRIALS:
        assert area(setup, trial) < 0.05, trial.method


def test_a_compared_pretext_is_judged_by_the_training_part_alone(tmp_path):
    settings = small_setup.SETTINGS.model_copy(update={"label_fractions": (0.5,), "label_seeds": 1})
    truth = np.arange(CASES) % 2
    own = small_setup.setup(small_setup.noise(CASES, 0), truth, TRAIN, settings)
    setup = replace(own, pretext="shuffled-correspondence", compared=True)
    labels = Watched(setup.data.truth)
    watched = replace(setup, data=replace(setup.data, truth=labels))  # type: ignore[arg-type]
    object.__setattr__(watched.data, "prediction", lambda said, repeat, rows: rows)
    told = list(supervised.judge(TrialRunner(watched, TrialStore(tmp_path), Progress())))
    assert {(variant.table, variant.method) for variant, _ in told} == {
        ("supervised", "shuffled-correspondence-finetune"),
        ("label-efficiency", "shuffled-correspondence-finetune"),
        ("label-efficiency", "shuffled-correspondence"),
    }
    assert labels.asked
    assert set(labels.asked) <= set(range(TRAIN))
    half = sorted(draw(setup.data.cases[:TRAIN], 0.5, 0))
    assert all(sorted(rows) == half for variant, rows in told if variant.label_fraction == 0.5)
