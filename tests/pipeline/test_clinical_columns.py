"""Picture, radiomics and clinical columns, of which one column alone tells the classes apart."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from rdfc_core.config.load import load
from rdfc_core.errors import StudyError
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.interfaces import Dataset
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.predict import predict
from rdfc_core.plugin import registry as plugins
from rdfc_core.results.schema import Results
from rdfc_core.results.vocabulary import FEATURES, LOGISTIC, RAW
from rdfc_dataset_manifest.dataset import Manifest

SIDE = 24
VIEWS: dict[str, Any] = {
    "radiomics": {"extractor": "outline", "width": 16, "layers": 1},
    "image": {"encoder": "small-cnn", "size": [16, 16]},
    "clinical": {"name": "table", "numbers": ["age", "marker"], "categories": ["sex"]},
}
SETTINGS: dict[str, Any] = {
    "pretext": {"name": "correspondence", "width": 16},
    "objective": "infonce:negatives=16",
    "pretrain": {"epochs": 2, "batch_size": 32, "precision": "32-true"},
    "split": {"test_fraction": 0.4},
    "evaluate": {
        "bootstrap": 100,
        "classifiers": ["logistic"],
        "controls": [],
        "methods": ["radiomics-logistic", "hybrid-finetune"],
        "selection": {"enabled": True},
        "supervised": {"epochs": 2, "min_steps": 0},
    },
}


def write_cases(folder: Path, count: int, seed: int) -> Path:
    """Pictures of noise, and a list whose column ``marker`` is higher in one of the classes."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    y, x = np.mgrid[:SIDE, :SIDE]
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["case_id", "image", "mask", "label", "age", "marker", "sex"])
        for place in range(count):
            name, positive = f"case-{place:03d}", place % 2
            middle, radii = rng.uniform(9, 15, 2), rng.uniform(4, 8, 2)
            inside = ((y - middle[0]) / radii[0]) ** 2 + ((x - middle[1]) / radii[1]) ** 2 <= 1
            grey = rng.normal(150 - 50 * inside, 12).clip(0, 255).astype(np.uint8)
            Image.fromarray(grey).save(folder / f"{name}.png")
            Image.fromarray((255 * inside).astype(np.uint8)).save(folder / f"{name}.mask.png")
            age = "" if place % 7 == 3 else rng.integers(30, 80)
            marker = "" if place % 11 == 5 else f"{rng.normal(4 + 6 * positive):.2f}"
            sex = rng.choice(["f", "m", ""])
            label = ("benign", "malignant")[positive]
            writer.writerow([name, f"{name}.png", f"{name}.mask.png", label, age, marker, sex])
    return folder


def dataset(folder: Path, *columns: str) -> dict[str, Any]:
    return {"name": "manifest", "root": str(folder), "columns": list(columns)}


@pytest.fixture(scope="module")
def components(small_distribution):
    return plugins.installed()


@pytest.fixture(scope="module")
def context(components, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store") / "store.sqlite")
    yield RunContext(components, store, LocalExecutor(LocalExecutorConfig(workers=0)))
    store.close()


@pytest.fixture(scope="module")
def cases(tmp_path_factory) -> Path:
    return write_cases(tmp_path_factory.mktemp("data") / "cases", 120, seed=0)


@pytest.fixture(scope="module")
def run(cases, context, components, tmp_path_factory) -> tuple[Path, Results]:
    folder = tmp_path_factory.mktemp("run") / "run"
    source = {**SETTINGS, "dataset": dataset(cases, "age", "marker", "sex"), "views": VIEWS}
    return folder, studies.run(load(source, (), components), folder, context)


def auroc(results: Results, method: str, seen: str) -> float:
    (found,) = {
        row.mean
        for row in results.rows
        if (row.method, row.input, row.metric) == (method, seen, "auroc")
        and (row.layer, row.classifier) in ((FEATURES, LOGISTIC), (RAW, "logistic-C0.01"))
    }
    assert found is not None
    return found


def test_the_view_that_holds_the_class_finds_it_and_the_others_do_not(run):
    _, results = run
    assert auroc(results, "rdfc", "clinical") > 0.9
    for seen in ("radiomics", "image"):
        assert auroc(results, "rdfc", seen) == pytest.approx(0.5, abs=0.2)


def test_columns_stand_alone_and_beside_the_features(run):
    _, results = run
    assert auroc(results, "columns-logistic", "clinical") > 0.95
    assert auroc(results, "features-and-columns", "image+radiomics+clinical") > 0.9
    assert auroc(results, "radiomics-logistic", "radiomics") == pytest.approx(0.5, abs=0.2)


def test_the_chosen_model_stands_on_the_columns_and_predicts_from_a_list(
    run, context, components, tmp_path
):
    folder, results = run
    (choice,) = results.selections
    assert {"columns-logistic", "features-and-columns"} <= {one.candidate for one in choice.ranking}
    new = OpenRun(folder, components).listed_cases(write_cases(tmp_path / "new", 40, seed=1))
    truth = [case.label == "malignant" for case in new]
    for method in ("selected", "columns-logistic", "features-and-columns"):
        said = predict(folder, new, context, method)
        assert roc_auc_score(truth, said.probabilities[:, 1]) > 0.9


def test_a_list_is_not_guessed_at_where_the_data_set_of_the_run_reads_none(
    run, components, tmp_path, monkeypatch
):
    monkeypatch.setattr(Manifest, "with_list", Dataset.with_list)  # as of one that has none
    opened, listing = OpenRun(run[0], components), write_cases(tmp_path / "new", 4, seed=1)
    with pytest.raises(StudyError, match=r"need age, marker, sex of each case.*with_list") as told:
        opened.listed_cases(listing)
    assert "--column NAME=VALUE" in str(told.value)
    case = opened.single_case(
        listing / "case-000.png",
        listing / "case-000.mask.png",
        columns={"age": "60", "marker": "9", "sex": "f"},
    )
    assert case.view_columns == ("age", "marker", "sex")


def test_a_method_of_columns_is_refused_without_them(cases, context, components, tmp_path):
    views = {name: view for name, view in VIEWS.items() if name != "clinical"}
    evaluate = {**SETTINGS["evaluate"], "methods": ["columns-logistic"]}
    source = {**SETTINGS, "evaluate": evaluate, "dataset": dataset(cases), "views": views}
    with pytest.raises(StudyError, match=r"columns-logistic needs a view of columns"):
        studies.run(load(source, (), components), tmp_path / "run", context)
