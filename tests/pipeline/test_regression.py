"""A regression end to end: a number that texture carries, and size and shape do not."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import resolve
from rdfc_core.errors import StudyError
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.patient_predictions import by_patient
from rdfc_core.pipeline.predict import Predictions, predict
from rdfc_core.plugin.registry import installed
from rdfc_core.report import write_report
from rdfc_core.results.schema import Results, Row
from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.files import write
from tests.support.command import HERE
from tests.support.small_study import SMALL_STUDY

STUDY: dict[str, Any] = {
    **{key: value for key, value in SMALL_STUDY.items() if key != "features"},
    "task": "regression",
    "dataset": {
        "name": "phantom",
        "kind": "texture",
        "label": "number",
        "cases": 140,
        "labelled": 120,
        "difficulty": 0.2,
        "image_size": [64, 64],
    },
    "views": {
        "radiomics": {"width": 16, "layers": 2, "dropout": 0.0, "extractor": "native"},
        "image": {"size": [32, 32]},
    },
    "evaluate": {
        "bootstrap": 200,
        "classifiers": ["ridge", "knn", "sgd"],
        "controls": "all",
        "methods": ["radiomics", "radiomics-ridge", "hybrid-scratch", "hybrid-finetune"],
        "evaluators": [{"name": "random-forest", "inputs": ["handcrafted"]}],
        "selection": {"enabled": True, "folds": 2},
        "inner_folds": 2,
        "label_fractions": [0.3],
        "label_seeds": 1,
        "supervised": {
            "epochs": 3,
            "min_steps": 0,
            "head": "features",
            "head_scale": 4.0,
            "finetune": "lp-ft",
        },
    },
    "split": {"test_fraction": 0.4},
}


@pytest.fixture(scope="module")
def context(small_distribution, tmp_path_factory):
    return RunContext(
        installed(),
        Store(tmp_path_factory.mktemp("store") / "store.sqlite"),
        LocalExecutor(LocalExecutorConfig(workers=0)),
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory, context):
    folder = tmp_path_factory.mktemp("regression") / "run"
    studies.run(resolve(load_study(STUDY), context.registry), folder, context)
    return folder


@pytest.fixture(scope="module")
def results(finished):
    return Results.read(finished / "results.json")


def row(results: Results, metric: str, **named: Any) -> Row:
    """The one row of these names, with all labels."""
    named.setdefault("label_fraction", 1.0)
    [found] = [
        one
        for one in results.rows
        if one.metric == metric and all(getattr(one, k) == v for k, v in named.items())
    ]
    return found


def test_texture_tells_the_number_and_size_and_shape_do_not(results):
    for control in ("size-only", "shape-only"):
        of = row(results, "r2", table="control", method=control)
        assert of.ci_low < 0.1
        assert of.mean < 0.2
    shuffled = row(results, "r2", method="shuffled-labels")
    assert shuffled.mean < 0.1
    for named in (
        {"table": "control", "method": "radiomics"},
        {"table": "supervised", "method": "radiomics"},
        {"method": "radiomics-ridge", "table": "supervised", "classifier": "ridge-alpha0.1"},
        {"table": "supervised", "method": "selected"},
    ):
        assert row(results, "r2", **named).ci_low > 0.5
    assert row(results, "r2", table="supervised", method="random-forest").ci_low > 0.3
    assert row(results, "r2", table="supervised", method="hybrid-scratch").ci_low > 0.2
    learnt = row(results, "r2", table="linear", input="both", layer="features", classifier="ridge")
    assert learnt.ci_low > 0.1


def test_the_rows_are_the_metrics_of_the_predictions(finished, results):
    table = pq.read_table(finished / "predictions.parquet").to_pandas()
    own = table[(table["table"] == "supervised") & (table["method"] == "selected")]
    assert own["label"].dtype == own["predicted"].dtype == np.float64
    assert "probabilities" not in table
    expected = {
        "mae": mean_absolute_error,
        "rmse": root_mean_squared_error,
        "r2": r2_score,
        "spearman": lambda a, b: spearmanr(a, b).statistic,
    }
    for metric, score in expected.items():
        found = row(results, metric, table="supervised", method="selected").mean
        assert found == pytest.approx(score(own["label"], own["predicted"]))


def test_nothing_of_classes_is_left_in_the_results(finished, results):
    assert results.task == "regression"
    assert {one.metric for one in results.rows} == {"r2", "mae", "rmse", "spearman"}
    assert {one.metric for one in results.comparisons} == {"r2", "mae", "rmse", "spearman"}
    assert {one.test for one in results.comparisons} == {"paired-bootstrap"}
    assert results.dataset["classes"] == []
    assert results.dataset["numbers"]["cases"] == 120
    assert results.headline is not None
    assert results.headline.metric == "r2"
    [saved] = [one for one in results.selections if one.label_fraction == 1]
    assert all(one.log_loss is None and one.absolute_error > 0 for one in saved.ranking)
    about = json.loads((finished / "model" / "holdout" / "model.json").read_text("utf-8"))
    assert about["task"] == "regression"


@pytest.mark.parametrize("method", ["selected", "probe", "radiomics", "hybrid-finetune"])
def test_a_saved_model_says_what_the_run_said(finished, context, method):
    run = OpenRun(finished, context.registry)
    table = pq.read_table(finished / "predictions.parquet").to_pandas()
    if method == "probe":
        rows = (table["table"] == "linear") & (table["layer"] == "features")
        rows &= (table["input"] == "both") & (table["classifier"] == "ridge")
    else:
        rows = (table["table"] == "supervised") & (table["method"] == method)
    own = table[rows].set_index("case_id")["predicted"]
    cases = [c for c in run.study.build_dataset(context.registry).cases() if c.case_id in own.index]
    said = predict(run, cases, context, method)
    assert said.columns == ["case_id", "predicted"]
    found = {one["case_id"]: one["predicted"] for one in said.rows()}
    np.testing.assert_allclose([found[c] for c in own.index], own, rtol=1e-4, atol=1e-4)


def test_patients_get_the_mean_of_their_cases():
    numbers = np.array([[1.0], [3.0], [5.0]])
    said = Predictions(("a", "b", "c"), ("p", "p", "q"), (), numbers, (), task="regression")
    assert by_patient(said).rows() == [
        {"patient_id": "p", "cases": 2, "predicted": 2.0},
        {"patient_id": "q", "cases": 1, "predicted": 5.0},
    ]
    with pytest.raises(StudyError, match="predicts a number"):
        by_patient(said, "max")


def test_the_report_shows_numbers_and_nothing_of_classes(finished):
    page = write_report(finished).read_text("utf-8")
    for there in (
        "Predicted against label",
        "Bland–Altman",
        "The label is a number",
        "reaches an R² of",
        "with an MAE of",
        "Cases furthest off",
        "Label efficiency: R²",
        "MAE (lower is better)",
    ):
        assert there in page, there
    for absent in ("AUROC", "Weighted F1", "Confusion", ">ROC<", "Calibration curve", "Brier"):
        assert absent not in page, absent


def test_the_command_line_predicts_numbers(finished, rdfc_here, tmp_path):
    options = {**STUDY["dataset"], "cases": 6, "labelled": 5}
    options.pop("name")
    listing = write(PhantomConfig(**options), tmp_path / "phantoms")
    done = rdfc_here("predict", finished, "--manifest", listing, "--store", tmp_path / "s", *HERE)
    assert done.code == 0, done.err
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert list(rows[0]) == [
        *("case_id", "predicted", "lower", "upper", "distance_percentile", "neighbours")
    ]
    assert len(rows) == 6
    assert all(1 < float(one["predicted"]) < 5 for one in rows)
    check = ("datasets", "check", "manifest", "--root", listing.parent, "--features", "none")
    told = rdfc_here(*check, "--task", "regression")
    assert told.code == 0, told.err
    said = " ".join(told.out.split())
    assert "6 cases of 6 patients: 5 numbers from 1." in said
    assert "4 training, 1 pretraining alone (unlabelled), 1 test" in said
    refused = rdfc_here("run", "--dataset", f"manifest:root={listing.parent}", *HERE)
    refused.refused("task=regression")
    rdfc_here(*check, "--task", "ranking").refused("classification or regression")
