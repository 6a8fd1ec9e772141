"""The model that is chosen: by which folds, by what rule, and without a look at the test part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss, roc_auc_score

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.evaluation import conventional_radiomics, finetuning, model_selection, trial_runner
from rdfc_core.evaluation.calibration import temperature_of
from rdfc_core.evaluation.learners import Taught
from rdfc_core.evaluation.model_selection import ENSEMBLE, Chosen, decide, standard_error
from rdfc_core.evaluation.supervised_setup import SupervisedSetup
from rdfc_core.evaluation.tasks import TASKS
from rdfc_core.evaluation.trial_runner import TrialRunner
from rdfc_core.evaluation.trial_store import TrialStore
from rdfc_core.evaluation.trials import Trial
from rdfc_core.models.temperature import tempered
from rdfc_core.results.vocabulary import SELECTED
from rdfc_core.utils.progress import Progress
from tests.support import small_setup

CASES, TRAIN = 80, 48
ALL = ("probe", "radiomics-logistic", "image-and-radiomics", "radiomics", "hybrid-finetune")
LINEAR = ALL[:3]


@pytest.fixture(autouse=True)
def _few_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = {"select__estimator__C": (0.1, 0.3), "classify__C": (0.3,)}
    monkeypatch.setattr(conventional_radiomics, "GRID", grid)


def settings(candidates: tuple[str, ...] | None = LINEAR, **changes: Any) -> EvaluateSettings:
    chosen = {"enabled": True, "candidates": candidates, "folds": changes.pop("folds", 3)}
    written = small_setup.SETTINGS.model_dump() | {"selection": chosen} | changes
    return EvaluateSettings.model_validate(written)


def setup(
    truth: Any, asked: EvaluateSettings, seed: int = 0, signal: float = 0.0
) -> SupervisedSetup:
    prepared = small_setup.noise(CASES, seed)
    for place, one in enumerate(prepared["radiomics"]):
        one.array[:5] += signal * truth[place]
    return small_setup.setup(prepared, truth, TRAIN, asked)


def runner(made: SupervisedSetup, folder: Path) -> TrialRunner:
    return TrialRunner(made, TrialStore(folder), Progress())


def first(run: TrialRunner) -> tuple[Chosen, Any]:
    """The choice by all labels, and what it says of the test part."""
    chosen, entries = next(model_selection.judge(run))
    return chosen, entries[0][1].probabilities


def test_the_standard_error_counts_patients_and_not_cases():
    values = np.random.default_rng(0).normal(size=50)
    alone = standard_error(values, np.arange(50))
    assert alone == pytest.approx(values.std(ddof=1) / np.sqrt(50))
    twice = standard_error(np.repeat(values, 2), np.repeat(np.arange(50), 2))
    assert twice == pytest.approx(alone)
    assert standard_error(values, np.zeros(50, int)) == np.inf


def test_the_loss_is_scikit_learns():
    said = softmax(np.random.default_rng(1).normal(size=(30, 3)), axis=1)
    truth = np.arange(30) % 3
    assert TASKS["classification"].losses(said, truth).mean() == pytest.approx(
        log_loss(truth, said)
    )


def losses(spread: float, **means: float) -> dict[str, Any]:
    """Losses of 100 cases with these means, whose differences have a standard error of spread."""
    noise = np.random.default_rng(2).normal(size=(len(means), 100))
    noise -= noise.mean(axis=1, keepdims=True)
    noise *= spread * np.sqrt(99 / 2) / noise.std(axis=1, ddof=1, keepdims=True)
    return {n.replace("_", "-"): m + own for (n, m), own in zip(means.items(), noise, strict=True)}


@pytest.mark.parametrize(
    ("spread", "means", "expected"),
    [
        (0.1, {"ensemble": 0.55, "hybrid_finetune": 0.5, "probe": 0.9}, ENSEMBLE),
        (0.01, {"ensemble": 0.55, "hybrid_finetune": 0.5, "probe": 0.9}, "hybrid-finetune"),
        (0.1, {"radiomics_logistic": 0.55, "hybrid_finetune": 0.5}, "radiomics-logistic"),
        (0.1, {"ensemble": 0.9, "image_and_radiomics": 0.52, "probe": 0.5}, "image-and-radiomics"),
        (0.1, {"ensemble": 0.4, "probe": 0.5}, ENSEMBLE),
    ],
)
def test_what_cannot_be_told_apart_goes_to_the_ensemble_or_to_the_simpler(spread, means, expected):
    chosen, reason = decide(losses(spread, **means), np.arange(100))
    assert chosen == expected
    assert "log loss" in reason


def test_the_candidate_that_generalises_is_chosen_and_said_calibrated(tmp_path):
    """Radiomics carry the label; the pictures, and with them the probe of the image, do not."""
    truth = np.random.default_rng(3).permutation(np.arange(CASES) % 2)
    made = setup(truth, settings(), signal=3.0)
    run = runner(made, tmp_path)
    chosen, said = first(run)
    ranking = {one.candidate: one for one in chosen.selection.ranking}
    assert ranking["radiomics-logistic"].log_loss < ranking["probe"].log_loss
    assert chosen.selection.labelled_cases == TRAIN
    assert chosen.selection.folds == 3
    parts = []
    for name in chosen.selection.members:
        trial = chosen.trials[name]
        rows, out_of_fold = run.out_of_fold(trial, 3)
        temperature = temperature_of(np.log(out_of_fold), truth[rows])
        assert ranking[name].temperature == pytest.approx(temperature)
        parts.append(tempered(run.said(trial).probabilities, temperature))
    np.testing.assert_allclose(said, np.mean(parts, axis=0))
    assert roc_auc_score(truth[TRAIN:], said[:, 1]) > 0.9


def test_out_of_fold_means_that_no_case_is_judged_by_what_its_patient_taught(monkeypatch, tmp_path):
    truth = np.arange(CASES) % 2
    made = setup(truth, settings(("probe",)))
    taught: list[tuple[set[int], set[int]]] = []

    def learn(rows: Any) -> Taught:
        def say(asked: Any) -> Any:
            taught.append((set(rows.tolist()), set(asked.tolist())))
            return np.full((len(asked), 2), 0.5)

        return Taught(say, lambda: pytest.fail("nothing is kept of an inner fold"))

    monkeypatch.setattr(trial_runner, "learner", lambda *_: learn)
    rows, _ = runner(made, tmp_path).out_of_fold(Trial("probe"), 3)
    assert sorted(rows) == list(range(TRAIN))
    assert all(not train & held and max(train | held) < TRAIN for train, held in taught)
    assert len(taught) == 3


def test_other_test_cases_change_neither_the_choice_nor_what_is_said_of_a_case(tmp_path):
    truth = np.random.default_rng(4).permutation(np.arange(CASES) % 2)
    asked = settings(ALL, folds=2)
    prepared, other = small_setup.noise(CASES, 0), small_setup.noise(CASES, 1234)
    changed = {
        name: [
            *cases[: TRAIN + 1],
            *(replace(one, array=one.array * 50 + 7) for one in other[name][TRAIN + 1 :]),
        ]
        for name, cases in prepared.items()
    }
    turned = np.r_[truth[: TRAIN + 1], 1 - truth[TRAIN + 1 :]]
    found = []
    for number, (cases, labels) in enumerate([(prepared, truth), (changed, turned)]):
        made = small_setup.setup(cases, labels, TRAIN, asked)
        found.append(first(runner(made, tmp_path / str(number))))
    assert found[0][0].selection == found[1][0].selection
    assert found[0][0].selection.test_cases_seen == 0
    np.testing.assert_array_equal(found[0][1][0], found[1][1][0])
    assert not np.array_equal(found[0][1][1:], found[1][1][1:])


def test_a_choice_asks_for_no_label_of_the_test_part(tmp_path):
    truth = np.arange(CASES) % 2

    looked_at: set[int] = set()

    class Watched(np.ndarray):
        def __getitem__(self, places: Any) -> Any:
            looked_at.update(np.asarray(places).ravel().tolist())
            return np.asarray(super().__getitem__(places))

    made = setup(truth, settings(ALL, folds=2, label_fractions=(0.4,), label_seeds=2))
    watched = truth.view(Watched)
    made = replace(made, data=replace(made.data, truth=watched))
    object.__setattr__(made.data, "prediction", lambda said, repeat, rows: said)
    choices = [chosen for chosen, _ in model_selection.judge(runner(made, tmp_path))]
    assert [(one.choice.label_fraction, one.choice.seed) for one in choices] == [
        (1.0, 0),
        (0.4, 0),
        (0.4, 1),
    ]
    assert looked_at == set(range(TRAIN))


def test_without_signal_the_chosen_model_ends_at_chance(tmp_path):
    areas = []
    for deal in range(6):
        truth = np.random.default_rng(deal).permutation(np.arange(CASES) % 2)
        made = setup(truth, settings(), seed=deal)
        said = first(runner(made, tmp_path / str(deal)))[1]
        areas.append(roc_auc_score(truth[TRAIN:], said[:, 1]))
    # 32 test cases: one AUROC is 0.5 ± 0.10, the mean of six ± 0.04.
    assert np.mean(areas) == pytest.approx(0.5, abs=0.13)


def test_where_a_class_has_one_patient_the_default_is_taken_and_the_reason_told(tmp_path):
    truth = np.zeros(CASES, np.int64)
    truth[[3, *range(60, 80)]] = 1
    chosen, said = first(runner(setup(truth, settings()), tmp_path))
    assert chosen.selection.chosen == "image-and-radiomics"
    assert chosen.selection.folds == 0
    assert "single labelled patient" in chosen.selection.reason
    assert np.isfinite(said).all()


def test_a_study_without_a_network_among_the_candidates_trains_none(monkeypatch, tmp_path):
    monkeypatch.setattr(finetuning, "fit", lambda *_: pytest.fail("a network was trained"))
    made = setup(np.arange(CASES) % 2, settings(None, methods=()))
    assert made.candidates() == LINEAR
    first(runner(made, tmp_path))
    assert setup(np.arange(CASES) % 2, settings(None)).candidates() == ALL


def test_nothing_is_trained_twice_and_a_killed_choice_goes_on(monkeypatch, tmp_path):
    made = setup(np.arange(CASES) % 2, settings(("probe", "hybrid-finetune"), folds=2))
    trained: list[int] = []
    fit, stop = finetuning.fit, [2]

    def counted(*arguments: Any) -> None:
        if len(trained) == stop[0]:
            raise KeyboardInterrupt
        trained.append(len(arguments[3]))
        fit(*arguments)

    monkeypatch.setattr(finetuning, "fit", counted)
    with pytest.raises(KeyboardInterrupt):
        first(runner(made, tmp_path))
    assert len(trained) == 2
    stop[0] = -1
    whole = first(runner(made, tmp_path))
    assert trained == [24, 24, 48]  # two inner folds, and the trial of all labels once
    again = first(runner(made, tmp_path))
    assert len(trained) == 3
    assert again[0].selection == whole[0].selection
    np.testing.assert_array_equal(again[1], whole[1])
    weights = tmp_path / "holdout" / "hybrid-finetune.paper.labels-1.seed-0.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    first(runner(made, tmp_path))
    assert trained == [24, 24, 48, 48]  # weights that are damaged are not handed on


def test_few_labels_are_chosen_from_by_themselves(tmp_path):
    truth = np.arange(CASES) % 2
    made = setup(truth, settings(label_fractions=(0.25,), label_seeds=1, folds=2), signal=3.0)
    few = [c.selection for c, _ in model_selection.judge(runner(made, tmp_path))][1]
    assert (few.label_fraction, few.labelled_cases) == (0.25, 12)
    assert {
        variant.method
        for _, told in model_selection.judge(runner(made, tmp_path))
        for variant, _ in told
    } == {SELECTED}
