"""Patients judged by all their lesions: in tables, intervals, comparisons and the report."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

from rdfc_core import DataError, StudyError
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.patients import of_patients
from rdfc_core.pipeline import run as studies
from rdfc_core.report import write_report
from tests.support import small_study
from tests.support.small_parts import write_pictures

LESIONS = 3
OPTIONS = (
    "pretrain.epochs=1",
    "evaluate.bootstrap=200",
    "evaluate.controls=[radiomics]",
    "evaluate.classifiers=[logistic]",
    "evaluate.methods=[radiomics-logistic,hybrid-finetune]",
    "evaluate.supervised.epochs=1",
    "evaluate.inner_folds=2",
    "split={kind: folds, folds: 2}",
)
PATIENTS = "evaluate.unit=patient"


def rewrite(folder: Path, change: Any) -> None:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for place, row in enumerate(rows):
        row.update(change(place, row))
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def lesions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """72 lesions of 24 patients, one of each three drawn as the other class would be."""
    folder = write_pictures(tmp_path_factory.mktemp("data") / "lesions", 72, 0)

    def patient(place: int, row: dict[str, str]) -> dict[str, str]:
        number = place // LESIONS
        return {"patient_id": f"p{number:02d}", "label": ("benign", "malignant")[number % 2]}

    rewrite(folder, patient)
    return folder


@pytest.fixture(scope="module")
def judged(lesions, registry, tmp_path_factory):
    """(Folder, results) of the study that judges cases, and of that which judges patients."""
    from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
    from rdfc_core.extraction.store import Store
    from rdfc_core.pipeline.context import RunContext

    place = tmp_path_factory.mktemp("runs")
    store = Store(place / "store.sqlite")
    context = RunContext(registry, store, LocalExecutor(LocalExecutorConfig(workers=0)))
    found = {}
    for unit in ("case", "patient"):
        study = small_study.resolved(lesions, *OPTIONS, f"evaluate.unit={unit}")
        found[unit] = place / unit, studies.run(study, place / unit, context)
    yield found
    store.close()


ENTRY = ["table", "method", "input", "layer", "classifier"]


def test_rows_are_the_scores_of_patients_by_the_mean_of_their_cases(judged):
    folder, results = judged["patient"]
    said = pd.read_parquet(folder / "predictions.parquet")
    assert len(said) > said["patient_id"].nunique()  # predictions stay those of cases
    said["p"] = [float(p[1]) for p in said["probabilities"]]
    rows = {(*(getattr(row, key) for key in ENTRY), row.metric): row for row in results.rows}
    checked = 0
    for entry, own in said.groupby(ENTRY):
        of_splits = []
        for _, split in own.groupby(["split", "repeat"]):
            patients = split.groupby("patient_id").agg(p=("p", "mean"), label=("label", "first"))
            truth = patients["label"] == "malignant"
            of_splits.append(
                (roc_auc_score(truth, patients["p"]), accuracy_score(truth, patients["p"] > 0.5))
            )
        auroc, accuracy = np.mean(of_splits, axis=0)
        row = rows[(*entry, "auroc")]
        assert row.mean == pytest.approx(auroc)
        assert rows[(*entry, "accuracy")].mean == pytest.approx(accuracy)
        assert (row.unit, row.n_cases) == ("patient", 24)
        assert row.ci_low <= row.mean <= row.ci_high
        checked += 1
    assert checked > 5


def test_cases_are_judged_unless_patients_are_asked_for(judged):
    _, results = judged["case"]
    assert {(row.unit, row.n_cases) for row in results.rows} == {("case", 72)}
    folders = [folder for folder, _ in judged.values()]
    tables = [pd.read_parquet(folder / "predictions.parquet") for folder in folders]
    pd.testing.assert_frame_equal(*tables)  # the same models, judged otherwise
    ours = [(row.metric, row.mean) for row in results.rows if row.metric == "auroc"]
    theirs = [(r.metric, r.mean) for r in judged["patient"][1].rows if r.metric == "auroc"]
    assert ours != theirs


def test_comparisons_and_importance_are_of_patients_too(judged):
    comparisons = {
        unit: [one.difference for one in results.comparisons]
        for unit, (_, results) in judged.items()
    }
    assert comparisons["case"] != comparisons["patient"]
    assert {one.n_cases for one in judged["patient"][1].importance} == {24}
    assert {one.unit for one in judged["patient"][1].importance} == {"patient"}


def test_the_report_speaks_of_patients_and_draws_their_curves(judged):
    folder, _ = judged["patient"]
    page = write_report(folder).read_text(encoding="utf-8")
    assert "24 held-back patients" in page
    assert "held-back cases (" not in page
    assert ">Patients<" in page
    assert "Of patients given a probability" in page
    of_cases = write_report(judged["case"][0]).read_text(encoding="utf-8")
    assert "72 held-back cases" in of_cases
    kept = json.loads((folder / "results.json").read_text())["rows"][0]
    assert kept["unit"] == "patient"


def said(truth: list[int], positive: list[float], patients: list[str]) -> Prediction:
    second = np.array(positive)
    probabilities = np.stack([1 - second, second], axis=1)
    names = tuple(f"c{place}" for place in range(len(truth)))
    return Prediction("holdout", names, tuple(patients), np.array(truth), probabilities)


def test_the_most_suspicious_lesion_may_decide():
    cases = said([0, 1, 0, 1], [0.2, 0.3, 0.4, 0.9], ["a", "b", "a", "b"])
    for pooling, expected in (("mean", [0.3, 0.6]), ("max", [0.4, 0.9])):
        found = of_patients(cases, pooling)
        assert found.patients == found.case_ids == ("a", "b")
        assert found.truth.tolist() == [0, 1]
        np.testing.assert_allclose(found.probabilities[:, 1], expected)


def refused(folder: Path, context: Any, place: Path, *overrides: str) -> str:
    with pytest.raises((DataError, StudyError)) as caught:
        studies.run(small_study.resolved(folder, *OPTIONS, *overrides), place / "run", context)
    assert not (place / "run").exists()  # before anything is measured
    return str(caught.value)


def test_patients_whose_cases_have_different_labels_are_refused(lesions, run_context, tmp_path):
    torn = Path(shutil.copytree(lesions, tmp_path / "torn"))
    rewrite(torn, lambda place, row: {"label": "malignant"} if place == 1 else {})
    message = refused(torn, run_context, tmp_path, PATIENTS)
    assert message == (
        "evaluate.unit: patient judges a patient by one label, and the cases of 1 patient (p00) "
        "have several, those of p00 'benign' and 'malignant'. Give all cases of a patient the "
        "patient's label, or use evaluate.unit: case."
    )
    study = small_study.resolved(torn, *OPTIONS, PATIENTS)
    studies.run(study, tmp_path / "extracted", run_context, until="extract")


def test_the_most_suspicious_of_three_classes_is_refused(lesions, run_context, tmp_path):
    three = Path(shutil.copytree(lesions, tmp_path / "three"))
    rewrite(three, lambda place, row: {"label": "other"} if row["patient_id"] < "p08" else {})
    message = refused(three, run_context, tmp_path, PATIENTS, "evaluate.pool=max")
    assert "evaluate.pool max takes the case that is likeliest of the second of two" in message
    assert "has 3. Use mean." in message
