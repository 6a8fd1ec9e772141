"""Validation of runs that predict numbers, judge patients, or have metrics of their own."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import linregress
from sklearn.metrics import log_loss, mean_absolute_error, r2_score, recall_score

import rdfc_core as rdfc
from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import resolve
from rdfc_core.errors import DataError
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.pipeline import cohort_scores
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.predict import predict
from rdfc_core.pipeline.validation import validate_into
from rdfc_core.report.validated_numbers import number_sentences
from rdfc_core.report.validation_page import sentences
from rdfc_core.results.validation import NumberCalibration, Value
from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.files import write
from tests.support import small_study
from tests.support.command import HERE
from tests.support.small_parts import write_pictures

NUMBERS: dict[str, Any] = {
    "kind": "texture",
    "label": "number",
    "cases": 60,
    "labelled": 60,
    "difficulty": 0.2,
    "image_size": [48, 48],
}
OPTIONS = (
    "pretrain.epochs=1",
    "evaluate.bootstrap=100",
    "evaluate.controls=[]",
    "evaluate.selection.enabled=true",
    "evaluate.selection.folds=2",
    "evaluate.inner_folds=2",
)


@pytest.fixture(scope="module")
def context(registry, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store") / "store.sqlite")
    yield RunContext(registry, store, LocalExecutor(LocalExecutorConfig(workers=0)))
    store.close()


@pytest.fixture(scope="module")
def numbers(context, tmp_path_factory) -> Path:
    """A run that predicts numbers by ridge regression."""
    folder = tmp_path_factory.mktemp("numbers") / "run"
    study = {
        **small_study.SMALL_STUDY,
        "task": "regression",
        "dataset": {"name": "phantom", **NUMBERS},
    }
    more = ("evaluate.classifiers=[ridge]", "evaluate.methods=[radiomics-ridge]")
    resolved = resolve(load_study(study, (*OPTIONS, *more)), context.registry)
    studies.run(resolved, folder, context)
    return folder


def read(listing: Path) -> dict[str, dict[str, str]]:
    with listing.open(newline="", encoding="utf-8") as file:
        return {row["case_id"]: row for row in csv.DictReader(file)}


def rewrite(listing: Path, change: Any) -> None:
    rows = list(read(listing).values())
    for place, row in enumerate(rows):
        row.update(change(place, row))
    with listing.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_numbers_are_judged_as_scikit_learn_and_scipy_do(numbers, context, rdfc_here, tmp_path):
    listing = write(PhantomConfig(**{**NUMBERS, "seed": 5}), tmp_path / "elsewhere")

    def elsewhere(place, row):
        site = "Basel" if place < 48 else "Bern"
        label = "" if place == 7 else f"{float(row['label']) + 0.7:.3f}"
        return {"patient_id": f"new-{row['patient_id']}", "site": site, "label": label}

    rewrite(listing, elsewhere)
    out = tmp_path / "v"
    done = rdfc_here(
        *("validate", numbers, "--manifest", f"Bern={listing}", "--by", "site", "--out", out),
        *HERE,
    )
    assert done.code == 0, done.err
    assert "MAE" in done.out
    assert "Predictions are" in " ".join(done.out.split())
    found = rdfc.validate(
        numbers, listing, out, by=["site"], overwrite=True, executor="local:workers=0"
    )
    [cohort] = found.cohorts
    assert (found.task, cohort.labelled, cohort.unlabelled, cohort.per_class) == (
        *("regression", 59, 1),
        {},
    )
    cases = OpenRun(numbers, context.registry).listed_cases(listing)
    said = predict(numbers, cases, context)
    told = read(listing)
    kept = [place for place, case in enumerate(said.case_ids) if told[case]["label"]]
    truth = np.array([float(told[said.case_ids[place]]["label"]) for place in kept])
    predicted = said.probabilities[kept, 0]
    assert cohort.metrics["mae"].estimate == pytest.approx(mean_absolute_error(truth, predicted))
    assert cohort.metrics["r2"].estimate == pytest.approx(r2_score(truth, predicted))
    line = linregress(predicted, truth)
    assert cohort.numbers.slope.estimate == pytest.approx(line.slope)
    assert cohort.numbers.intercept.estimate == pytest.approx(line.intercept)
    assert cohort.numbers.bias.estimate == pytest.approx((predicted - truth).mean())
    assert cohort.numbers.slope.low <= line.slope <= cohort.numbers.slope.high
    groups = {one.value: one for one in cohort.subgroups}
    assert groups["Basel"].cases == 47
    assert set(groups["Basel"].metrics) == set(cohort.metrics)
    page = (out / "validation.html").read_text(encoding="utf-8")
    for words in ("Predicted and label", "Agreement", "Predicted less label", "Slope (1 is"):
        assert words in page
    assert "Decision curve" not in page


def test_a_list_without_numbers_is_refused(numbers, context, tmp_path):
    listing = write(
        PhantomConfig(**{**NUMBERS, "cases": 4, "labelled": 4, "seed": 6}), tmp_path / "e"
    )
    rewrite(listing, lambda place, row: {"label": "large"})
    with pytest.raises(DataError, match=r"no case of .* has a label that is a number"):
        validate_into(tmp_path / "v", OpenRun(numbers, context.registry), {"x": listing}, context)


def value(estimate, low, high):
    return Value(estimate=estimate, low=low, high=high)


@pytest.mark.parametrize(
    ("bias", "slope", "words"),
    [
        (value(0.5, 0.2, 0.8), value(1, 0.9, 1.1), ["predictions are too high"]),
        (value(-0.5, -0.8, -0.2), value(1, 0.9, 1.1), ["predictions are too low"]),
        (value(0.1, -0.2, 0.4), value(0.6, 0.4, 0.8), ["chance may explain", "too far from"]),
        (value(0.1, -0.2, 0.4), value(1.6, 1.4, 1.8), ["chance may explain", "too close to"]),
    ],
)
def test_numbers_are_told_in_sentences(bias, slope, words):
    numbers = NumberCalibration(
        predicted=2.0, observed=2.0, bias=bias, slope=slope, intercept=value(0, -1, 1)
    )
    told = number_sentences(numbers)
    assert len(told) == len(words)
    for sentence, word in zip(told, words, strict=True):
        assert word in sentence


def test_numbers_that_never_differ_have_no_slope():
    ids = tuple("abcdefghijkl")
    constant = Prediction("x", ids, ids, np.arange(12.0), np.full(12, 3.0))
    found = cohort_scores.number_calibration(constant)
    assert found.slope.estimate is None
    assert found.bias.estimate == pytest.approx(3 - 5.5)
    # An offset of 1e8 changes neither slope nor bias.
    near = Prediction("x", ids, ids, np.arange(12.0), 2 * np.arange(12.0) + 1)
    far = Prediction("x", ids, ids, np.arange(12.0) + 1e8, 2 * np.arange(12.0) + 1 + 1e8)
    a, b = (cohort_scores.number_calibration(one) for one in (near, far))
    assert a.slope.estimate == pytest.approx(0.5)
    assert b.slope.estimate == pytest.approx(0.5, rel=1e-6)
    assert b.bias.estimate == pytest.approx(a.bias.estimate, rel=1e-6)


@pytest.fixture(scope="module")
def patients(context, tmp_path_factory) -> Path:
    """A run that judges patients of three lesions, with two metrics of its own."""
    place = tmp_path_factory.mktemp("patients")
    folder = write_pictures(place / "lesions", 72, 0)
    rewrite(folder / "manifest.csv", of_three)
    study = small_study.resolved(
        folder,
        *OPTIONS,
        "evaluate.classifiers=[logistic]",
        "evaluate.methods=[radiomics-logistic]",
        "evaluate.unit=patient",
        "evaluate.metrics={found: {name: sensitivity, positive: malignant}, surprise: log-loss}",
    )
    studies.run(study, place / "run", context)
    return place / "run"


def of_three(place, row):
    number = place // 3
    return {"patient_id": f"p{number:02d}", "label": ("benign", "malignant")[number % 2]}


def test_patients_are_judged_with_the_studys_own_metrics(patients, context, tmp_path):
    folder = write_pictures(tmp_path / "elsewhere", 90, 0, seed=7)
    listing = folder / "manifest.csv"

    def elsewhere(place, row):
        own = of_three(place, row)
        own["patient_id"] = f"new-{own['patient_id']}"
        return {**own, "site": "Basel" if place < 66 else "Bern"}

    rewrite(listing, elsewhere)
    run = OpenRun(patients, context.registry)
    found, page = validate_into(tmp_path / "v", run, {"Basel": listing}, context, ["site"])
    [cohort] = found.cohorts
    assert (found.unit, cohort.cases, cohort.labelled) == ("patient", 90, 30)
    assert cohort.per_class == {"benign": 15, "malignant": 15}
    said = predict(patients, run.listed_cases(listing), context)
    told, of = read(listing), defaultdict(list)
    for place, case_id in enumerate(said.case_ids):
        of[told[case_id]["patient_id"]].append(place)
    pooled = np.array([said.probabilities[places].mean(axis=0) for places in of.values()])
    labels = [told[said.case_ids[places[0]]]["label"] for places in of.values()]
    predicted = [said.classes[place] for place in pooled.argmax(axis=1)]
    assert cohort.metrics["surprise"].estimate == pytest.approx(log_loss(labels, pooled))
    recall = recall_score(labels, predicted, pos_label="malignant")
    assert cohort.metrics["found"].estimate == pytest.approx(recall)
    assert {one.name for one in found.metrics} == {"found", "surprise"}
    assert found.own["found"].estimate is not None
    assert "on 30 labelled patients" in sentences(cohort, found)[0]
    text = page.read_text(encoding="utf-8")
    assert "Sensitivity (malignant)" in text
    assert "Log loss (lower is better)" in text
    groups = {one.value: one for one in cohort.subgroups}
    assert (groups["Basel"].cases, groups["Bern"].cases) == (22, 8)
    assert "surprise" in groups["Basel"].metrics
    assert not groups["Bern"].metrics


def test_patients_of_two_labels_are_refused(patients, context, tmp_path):
    folder = write_pictures(tmp_path / "elsewhere", 6, 0, seed=8)
    rewrite(folder / "manifest.csv", lambda place, row: {"patient_id": "torn"})
    run = OpenRun(patients, context.registry)
    with pytest.raises(DataError, match="those of torn 'benign' and 'malignant'"):
        validate_into(tmp_path / "v", run, {"x": folder / "manifest.csv"}, context)
