"""What guards single predictions: made by a run, saved, told by predict and by the report."""

from __future__ import annotations

import csv
import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from rdfc_core.api.predictions_page import write_predictions_page
from rdfc_core.evaluation.conformal import conformal_quantile
from rdfc_core.evaluation.safeguards import of_probe
from rdfc_core.evaluation.trial_runner import TrialRunner
from rdfc_core.evaluation.trial_store import TrialStore
from rdfc_core.pipeline.guarded_predictions import predict_guarded
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.predicted_scores import scores_of
from rdfc_core.report.load import read_run
from rdfc_core.report.page import render
from rdfc_core.results.schema import Results
from rdfc_core.utils.progress import Progress
from tests.support import small_setup, small_study
from tests.support.small_study import QUICK

GUARDED = (
    *QUICK,
    "pretrain.epochs=1",
    "evaluate.classifiers=[logistic]",
    "evaluate.controls=[]",
    "evaluate.inner_folds=2",
    "evaluate.selection.enabled=true",
    "evaluate.selection.folds=2",
    "evaluate.conformal.coverage=0.8",
    "evaluate.out_of_distribution.quantile=0.9",
    "evaluate.operating_points=[{sensitivity: 0.9, positive: malignant},"
    "{specificity: 0.8, positive: benign}]",
)
TRAIN = 40


@pytest.fixture(scope="module")
def guarded(pictures: Path, once) -> Path:
    def run(place: Path) -> None:
        small_study.run_study(pictures, place / "run", place / "store.sqlite", GUARDED)

    return once("guarded", run) / "run"


@pytest.fixture
def opened(guarded, registry) -> OpenRun:
    return OpenRun(guarded, registry)


def saved(run: Path) -> dict:
    return json.loads((run / "model" / "holdout" / "model.json").read_text())["safeguards"]


def of_test_part(run: Path) -> list[dict]:
    rows = pq.read_table(run / "predictions.parquet").to_pylist()
    return [row for row in rows if (row["method"], row["table"]) == ("selected", "supervised")]


def test_no_test_case_is_among_those_that_calibrate(tmp_path):
    cases = small_setup.noise(TRAIN + 20, 0)
    setup = small_setup.setup(cases, np.arange(TRAIN + 20) % 2, TRAIN)
    found = of_probe(TrialRunner(setup, TrialStore(tmp_path), Progress()))
    assert sorted(found.rows.tolist()) == list(range(TRAIN))


def test_thresholds_are_those_of_the_training_cases_out_of_fold(guarded):
    """Made again here of what the candidates said of inner folds, calibrated and averaged."""
    about = json.loads((guarded / "model" / "holdout" / "model.json").read_text())
    heat = {one["candidate"]: one for one in about["selection"]["ranking"]}
    with (guarded / "cases.csv").open(encoding="utf-8") as file:
        owners = {row["case_id"]: row for row in csv.DictReader(file)}
    means: dict[str, list[np.ndarray]] = {}
    for member in about["selection"]["members"]:
        tuning = heat[member]["tuning"]
        name = ".".join([member, *([tuning] if tuning else []), "labels-1.seed-0.inner-*"])
        for path in (guarded / "trials" / "holdout").glob(f"{name}.json"):
            told = json.loads(path.read_text())
            for case_id, row in zip(told["case_ids"], told["probabilities"], strict=True):
                logits = np.log(row) / heat[member]["temperature"]
                said = np.exp(logits - logits.max())
                means.setdefault(case_id, []).append(said / said.sum())
    tests = {row["case_id"] for row in of_test_part(guarded)}
    assert means
    assert not set(means) & tests
    labels = {case.case_id: case.label for case in OpenRunCases(guarded).cases}
    own = saved(guarded)["conformal"]
    for place, name in enumerate(about["classes"]):
        rows = [one for one in means if labels[one] == name or not own["by_class"]]
        scores = [1 - np.mean(means[r], axis=0)[about["classes"].index(labels[r])] for r in rows]
        patients = [owners[one]["patient_id"] for one in rows]
        limit = conformal_quantile(np.array(scores), patients, 0.8)
        assert own["thresholds"][name] == pytest.approx(1 - limit, abs=1e-6), place


class OpenRunCases:
    """The cases of the run's own data set, with labels."""

    def __init__(self, run: Path) -> None:
        from rdfc_core.pipeline.case_list import study_cases
        from rdfc_core.plugin.registry import installed

        opened = OpenRun(run, installed())
        dataset = opened.study.build_dataset(opened.registry)
        self.cases = study_cases(opened.study, dataset, opened.registry)


def test_predict_gives_sets_points_and_distances(opened, guarded, cases, run_context):
    found, _ = predict_guarded(opened, cases, run_context)
    assert found.columns == [
        *("case_id", "predicted", "p_benign", "p_malignant", "prediction_set", "certain"),
        *("at_sensitivity_0.9", "at_specificity_0.8", "distance_percentile", "unlike_training"),
        "neighbours",
    ]
    own = saved(guarded)
    for row in found.rows():
        inside = [
            name
            for name in found.classes
            if row[f"p_{name}"] >= own["conformal"]["thresholds"][name] - 1e-9
        ]
        assert row["prediction_set"] == "; ".join(inside)
        assert row["certain"] == (len(inside) == 1)
        sure, spared = own["operating_points"]
        yes = row["p_malignant"] >= sure["threshold"]
        assert row["at_sensitivity_0.9"] == ("malignant" if yes else "benign")
        yes = row["p_benign"] >= spared["threshold"]
        assert row["at_specificity_0.8"] == ("benign" if yes else "malignant")
    nearest = {
        case_id: row[0] for case_id, row in zip(found.case_ids, found.neighbours, strict=True)
    }
    tests = {row["case_id"] for row in of_test_part(guarded)}
    trained = {case.case_id for case in cases if case.label} - tests
    assert all(nearest[one].case_id == one for one in trained)  # itself
    assert all(nearest[one].distance == pytest.approx(0, abs=0.05) for one in trained)
    assert {one.case_id for row in found.neighbours for one in row} <= trained


def test_results_tell_what_they_come_to_on_the_test_part(guarded):
    judged = Results.read(guarded / "results.json").safeguards
    own, rows = saved(guarded), of_test_part(guarded)
    classes = ("benign", "malignant")
    holds, certain = [], []
    for row in rows:
        inside = [
            name
            for place, name in enumerate(classes)
            if row["probabilities"][place] >= own["conformal"]["thresholds"][name] - 1e-9
        ]
        holds.append(row["label"] in inside)
        certain.append(len(inside) == 1)
    patients = [row["patient_id"] for row in rows]
    once = [
        np.mean([h for h, p in zip(holds, patients, strict=True) if p == who])
        for who in set(patients)
    ]
    assert judged.sets.coverage.estimate == pytest.approx(np.mean(once))
    assert judged.sets.certain.estimate == pytest.approx(np.mean(certain))
    point = judged.operating_points[0]
    called = [row["probabilities"][1] >= own["operating_points"][0]["threshold"] for row in rows]
    found = [c for c, row in zip(called, rows, strict=True) if row["label"] == "malignant"]
    assert point.sensitivity.estimate == pytest.approx(np.mean(found))
    right = [row["label"] == "malignant" for c, row in zip(called, rows, strict=True) if c]
    if right:
        assert point.ppv.estimate == pytest.approx(np.mean(right))
    page = render(read_run(guarded))
    assert "Operating points, as chosen beforehand" in page
    assert f"{judged.sets.patients} patients, each counting once" in page


def test_cases_of_another_kind_are_flagged(opened, cases, run_context, tmp_path):
    from dataclasses import replace

    from PIL import Image

    strange = []
    for case in cases[:6]:
        with Image.open(case.image) as image:
            noise = np.random.default_rng(0).integers(0, 256, image.size[::-1]).astype(np.uint8)
        path = tmp_path / f"{case.case_id}.png"
        Image.fromarray(noise).save(path)
        strange.append(replace(case, case_id=f"noise-{case.case_id}", image=path))
    found, _ = predict_guarded(opened, strange, run_context)
    own, _ = predict_guarded(opened, cases, run_context)
    assert np.mean(found.extra["unlike_training"]) > 0.5 > np.mean(own.extra["unlike_training"])


def test_runs_of_an_older_rdfc_and_models_without_their_training_cases_say_what_is_missing(
    guarded, registry, cases, run_context, tmp_path, caplog
):
    caplog.set_level(logging.INFO, "rdfc")
    bare = Path(shutil.copytree(guarded, tmp_path / "bare"))
    (bare / "model" / "holdout" / "training_cases.safetensors").unlink()
    found, _ = predict_guarded(OpenRun(bare, registry), cases[:3], run_context)
    assert "prediction_set" in found.extra
    assert "distance_percentile" not in found.extra
    assert caplog.text.count("training_cases.safetensors is not beside every model") == 1
    path = bare / "model" / "holdout" / "model.json"
    about = json.loads(path.read_text())
    del about["safeguards"]
    path.write_text(json.dumps(about))
    found, _ = predict_guarded(OpenRun(bare, registry), cases[:3], run_context)
    assert not found.extra
    assert caplog.text.count("since an older rdfc wrote them") == 1
    found, _ = predict_guarded(OpenRun(guarded, registry), cases[:3], run_context, "probe")
    assert not found.extra
    assert "are of what the run chose, not of probe" in caplog.text


def test_scores_leave_out_what_the_run_has_learnt_from(opened, guarded, cases, run_context):
    found, extraction = predict_guarded(opened, cases, run_context)
    scores = scores_of(opened, extraction, found)
    tests = len(of_test_part(guarded))
    labelled = sum(case.label is not None for case in cases)
    assert (scores.cases, scores.known) == (tests, labelled - tests)
    rows = Results.read(guarded / "results.json").rows
    [accuracy] = [
        row.mean
        for row in rows
        if (row.table, row.method, row.metric) == ("supervised", "selected", "accuracy")
    ]
    assert scores.metrics["accuracy"].estimate == pytest.approx(accuracy)
    assert scores.safeguards.sets.cases == tests


def test_the_page_shows_every_case_with_its_picture_and_neighbours(
    opened, cases, run_context, tmp_path
):
    found, extraction = predict_guarded(opened, cases[:4], run_context, thumbnails=True)
    page = tmp_path / "said.html"
    write_predictions_page(page, opened, found, extraction, None)
    html = page.read_text(encoding="utf-8")
    assert html.count("Nearest labelled training cases") == 4
    assert html.count("data:image/png;base64") == 4 * 6
    for row in found.rows():
        assert f"<h3>{row['case_id']}</h3>" in html
    assert "no picture" not in html


def test_numbers_get_intervals(pictures, run_context, registry, tmp_path):
    pytest.importorskip("sklearn")
    folder = Path(shutil.copytree(pictures, tmp_path / "numbers"))
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rng = np.random.default_rng(0)
    for row in rows:
        row["label"] = f"{(row['label'] == 'malignant') * 10 + rng.normal(0, 3):.3f}"
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    small_study.run_study(
        folder,
        tmp_path / "run",
        tmp_path / "store.sqlite",
        (
            *QUICK,
            "task=regression",
            "pretrain.epochs=1",
            "evaluate.class_weight=none",
            "evaluate.classifiers=[ridge]",
            "evaluate.controls=[]",
            "evaluate.inner_folds=2",
            "evaluate.conformal.coverage=0.8",
        ),
    )
    judged = Results.read(tmp_path / "run" / "results.json").safeguards
    width = saved(tmp_path / "run")["conformal"]["half_width"]
    assert judged.sets.width == pytest.approx(2 * width)
    opened = OpenRun(tmp_path / "run", registry)
    found, _ = predict_guarded(opened, opened.listed_cases(folder / "manifest.csv"), run_context)
    for row in found.rows():
        assert row["lower"] == pytest.approx(row["predicted"] - width)
        assert row["upper"] == pytest.approx(row["predicted"] + width)
