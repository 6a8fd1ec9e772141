"""Nothing of the test part is learnt: by any method, in scaling, selection, training or choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import small_arena
from sklearn.metrics import roc_auc_score

from rdfc_core.config.settings import METHODS, EvaluateSettings
from rdfc_core.evaluation import conventional_radiomics, supervised
from rdfc_core.evaluation.calibration import tempered
from rdfc_core.evaluation.label_fractions import draw
from rdfc_core.evaluation.supervised import Arena
from rdfc_core.evaluation.trial_store import Stages
from rdfc_core.evaluation.trials import LOGISTIC, PROBE, Trial, c_name
from rdfc_core.utils.progress import Progress


def judged_tuning(method: str) -> str:
    if method in LOGISTIC:
        return c_name(small_arena.SETTINGS.radiomics_c[1])
    return "paper" if method == "hybrid-finetune" else ""


TRIALS = [
    *(Trial(method, judged_tuning(method)) for method in METHODS),
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


def say(arena: Arena, trial: Trial, rows: Any = None) -> Any:
    """What the trial says of the test part after training on rows, by default the training part."""
    rows = np.arange(TRAIN) if rows is None else rows
    return arena.learner(trial, 0, silent)(rows)(np.arange(TRAIN, CASES))


def memorising(epochs: int) -> EvaluateSettings:
    """Settings with which networks learn their cases by heart."""
    options = {"epochs": epochs, "batch_size": 16, "optimizer": "adamw", "learning_rate": 0.02}
    return small_arena.SETTINGS.model_copy(
        update={"supervised": small_arena.SETTINGS.supervised.model_copy(update=options)}
    )


def area(arena: Arena, trial: Trial, rows: Any = None) -> float:
    return float(roc_auc_score(arena.bench.truth[TRAIN:], say(arena, trial, rows)[:, 1]))


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: f"{trial.method}-{trial.tuning}")
def test_without_signal_every_method_ends_at_chance_and_with_a_leak_it_would_not(trial):
    """Labels have nothing to do with the cases; several deals, so that luck averages out."""
    honest, leaking = [], []
    for deal in range(4):
        rng = np.random.default_rng(deal)
        truth = rng.permutation(np.arange(CASES) % 2)
        arena = small_arena.arena(
            small_arena.noise(CASES, deal), truth, TRAIN, memorising(epochs=12)
        )
        honest.append(area(arena, trial))
        leaking.append(area(arena, trial, np.arange(TRAIN, CASES)))
    # 32 test cases: one AUROC is 0.5 ± 0.10, the mean of four ± 0.05.
    assert np.mean(honest) == pytest.approx(0.5, abs=0.17)
    assert np.mean(leaking) > 0.65


def altered(prepared: Mapping[str, Any]) -> dict[str, Any]:
    """The same training cases and a first test case; all other test cases of another world."""
    other = small_arena.noise(CASES, 1234)
    changed = {}
    for name, cases in prepared.items():
        strange = [replace(one, array=one.array * 50 + 7) for one in other[name][TRAIN + 1 :]]
        changed[name] = [*cases[: TRAIN + 1], *strange]
    return changed


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: f"{trial.method}-{trial.tuning}")
def test_other_test_cases_change_nothing_of_what_is_said_of_a_case(trial):
    truth = np.arange(CASES) % 2
    prepared = small_arena.noise(CASES, 0)
    one = small_arena.arena(prepared, truth, TRAIN)
    other = small_arena.arena(
        altered(prepared), np.r_[truth[: TRAIN + 1], 1 - truth[TRAIN + 1 :]], TRAIN
    )
    said = [say(arena, trial) for arena in (one, other)]
    np.testing.assert_array_equal(said[0][0], said[1][0])
    assert not np.array_equal(said[0][1:], said[1][1:])


def test_scaler_and_selection_are_fitted_on_the_training_rows_they_are_given():
    truth = np.arange(CASES) % 2
    prepared = small_arena.noise(CASES, 0)
    one = small_arena.arena(prepared, truth, TRAIN)
    other = small_arena.arena(altered(prepared), truth, TRAIN)
    states = [arena.origin.views["radiomics"].state() for arena in (one, other)]
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
    arena = small_arena.arena(small_arena.noise(CASES, 0), truth, TRAIN)
    labels = Watched(arena.bench.truth)
    watched = [Watched(rows) for rows in (*arena.cases.values(), *arena.learnt.values())]
    measured = Watched(arena.measured)
    blocks = {name: Watched(rows) for name, rows in arena.blocks.items()}
    seen = replace(
        arena,
        bench=replace(arena.bench, truth=labels),  # type: ignore[arg-type]
        cases=dict(zip(arena.cases, watched, strict=False)),  # type: ignore[arg-type]
        learnt=dict(zip(arena.learnt, watched[len(arena.cases) :], strict=True)),
        measured=measured,  # type: ignore[arg-type]
        blocks=blocks,  # type: ignore[arg-type]
    )
    given = [1, 4, 5, 8, 20, 23, 31, 46]
    predict = seen.learner(trial, 0, silent)(np.array(given))
    asked = {row for one in (labels, measured, *watched, *blocks.values()) for row in one.asked}
    assert asked == set(given)
    predict(np.array([60]))
    assert 60 in {row for one in (measured, *watched, *blocks.values()) for row in one.asked}
    assert 60 not in labels.asked


def test_a_study_s_trials_train_on_the_training_part_and_its_temperature_too(tmp_path):
    settings = small_arena.SETTINGS.model_copy(
        update={"temperature_scaling": True, "label_fractions": (0.3,), "label_seeds": 1}
    )
    truth = np.arange(CASES) % 2
    arena = small_arena.arena(small_arena.noise(CASES, 0), truth, TRAIN, settings)
    labels = Watched(arena.bench.truth)
    labels_seen = replace(arena, bench=replace(arena.bench, truth=labels))  # type: ignore[arg-type]
    object.__setattr__(labels_seen.bench, "prediction", lambda said, repeat, rows: said)
    told = list(supervised.judge(labels_seen, Stages(tmp_path), Progress()))
    assert {entry.table for entry, _ in told} == {"supervised", "label-efficiency"}
    assert {entry.classifier for entry, _ in told} >= {"svm+temperature", "head+temperature"}
    assert set(labels.asked) == set(range(TRAIN))


@pytest.mark.parametrize(
    ("unseen", "expected"), [(0.7, lambda n: (n + 1) / (n + 2)), (0.3, lambda n: 0.5)]
)
def test_a_temperature_is_fitted_to_what_is_said_of_cases_held_back(
    unseen, expected, monkeypatch, tmp_path
):
    """A method that is sure of its training cases, and gives others' class this probability."""
    settings = small_arena.SETTINGS.model_copy(
        update={"temperature_scaling": True, "methods": ("radiomics",), "label_fractions": (0.25,)}
    )
    truth = np.random.default_rng(0).permutation(np.arange(CASES) % 2)
    arena = small_arena.arena(small_arena.noise(CASES, 0), truth, TRAIN, settings)

    def learn(rows: Any) -> Any:
        def say_of(asked: Any) -> Any:
            own = np.where(np.isin(asked, rows), 0.99, unseen)[:, None]
            return np.where(np.eye(2)[truth[asked]] == 1, own, 1 - own)

        return say_of

    monkeypatch.setattr(Arena, "learner", lambda *_: learn)
    trial = Trial("radiomics", "", 0.25, 0)
    list(supervised.judge(arena, Stages(tmp_path), Progress()))
    kept = Stages(tmp_path).read("holdout", trial, arena.bench.split.test)
    assert kept is not None
    drawn = draw(arena.bench.cases[:TRAIN], 0.25, 0)
    assert np.bincount(truth[drawn]).tolist() == [len(drawn) // 2] * 2
    calibrated = tempered(np.array([[0.7, 0.3]]), kept.temperature or 0)[0, 0]
    assert calibrated == pytest.approx(expected(len(drawn) // 2), abs=1e-3)


def test_a_trivially_memorised_test_part_is_not_memorised():
    """Each test case's picture is the label, upside down in training: a peek would show at once."""
    rng = np.random.default_rng(0)
    truth = rng.permutation(np.arange(CASES) % 2)
    prepared = small_arena.noise(CASES, 0)
    for place in range(CASES):
        told = truth[place] if place < TRAIN else 1 - truth[place]
        prepared["image"][place].array[:] = told
        prepared["radiomics"][place].array[:] = 3.0 * told + 0.01 * rng.normal(
            size=small_arena.FEATURES
        )
    arena = small_arena.arena(prepared, truth, TRAIN, memorising(epochs=12))
    for trial in TRIALS:
        assert area(arena, trial) < 0.05, trial.method


def test_a_compared_pretext_is_judged_by_the_training_part_alone(tmp_path):
    settings = small_arena.SETTINGS.model_copy(update={"label_fractions": (0.5,), "label_seeds": 1})
    truth = np.arange(CASES) % 2
    own = small_arena.arena(small_arena.noise(CASES, 0), truth, TRAIN, settings)
    arena = replace(own, pretext="shuffled-correspondence", compared=True)
    labels = Watched(arena.bench.truth)
    watched = replace(arena, bench=replace(arena.bench, truth=labels))  # type: ignore[arg-type]
    object.__setattr__(watched.bench, "prediction", lambda said, repeat, rows: rows)
    told = list(supervised.judge(watched, Stages(tmp_path), Progress()))
    assert {(entry.table, entry.method) for entry, _ in told} == {
        ("supervised", "shuffled-correspondence-finetune"),
        ("label-efficiency", "shuffled-correspondence-finetune"),
        ("label-efficiency", "shuffled-correspondence"),
    }
    assert labels.asked
    assert set(labels.asked) <= set(range(TRAIN))
    half = sorted(draw(arena.bench.cases[:TRAIN], 0.5, 0))
    assert all(sorted(rows) == half for entry, rows in told if entry.label_fraction == 0.5)
