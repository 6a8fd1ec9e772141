"""A study from its data to its results, on real files."""

from __future__ import annotations

import gc
import json
import math
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image
from safetensors.numpy import load_file

from rdfc_core import DataError
from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import resolve
from rdfc_core.pipeline import run as studies
from rdfc_core.results.schema import Results
from rdfc_core.results.vocabulary import METRICS
from rdfc_core.utils.progress import Progress
from tests.support import small_parts, small_study
from tests.support.small_study import QUICK, lasting


@pytest.fixture(scope="module")
def results(finished: Path) -> Results:
    return Results.read(finished / "results.json")


CONTRACT = {
    "table": str,
    "method": str,
    "dataset": str,
    "label_fraction": float,
    "metric": str,
    "mean": float,
    "sd": float | None,
    "ci_low": float,
    "ci_high": float,
    "n_cases": int,
    "folds": int,
    "seeds": int,
    "published": float | None,
}


def test_phantoms_run_from_end_to_end_and_keep_the_contract_of_results_json(run_context, tmp_path):
    dataset = "phantom:cases=48,labelled=40,image_size=[40,48],difficulty=0.2"
    study = {**small_study.SMALL_STUDY, "dataset": dataset}
    study["views"] = {k: v for k, v in small_study.SMALL_STUDY["views"].items() if k != "greys"}
    resolved = resolve(load_study(study, QUICK), run_context.registry)
    studies.run(resolved, tmp_path / "run", run_context)
    found = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    assert not found["failed"]
    # Learnt: 2 layers × (2 views + both) × 2 classifiers; random-init: 3 inputs; 5 more controls.
    assert len(found["rows"]) == len(METRICS) * (12 + 3 + 5)
    for row in found["rows"]:
        for key, kind in CONTRACT.items():
            assert isinstance(row[key], kind), (key, row)
        assert row["table"] in ("linear", "control")
        assert row["metric"] in METRICS
        assert row["dataset"] == "phantom"
        for key in ("mean", "ci_low", "ci_high", "label_fraction"):
            assert 0 <= row[key] <= 1
        assert row["ci_low"] <= row["ci_high"]
        assert (row["n_cases"], row["folds"], row["label_fraction"]) == (8, 1, 1.0)
    methods = {(row["table"], row["method"]): row["seeds"] for row in found["rows"]}
    assert methods == {
        ("linear", "rdfc"): 1,
        ("control", "random-init"): 3,
        ("control", "shuffled-labels"): 20,
        ("control", "radiomics"): 1,
        ("control", "shape-only"): 1,
        ("control", "no-shape"): 1,
        ("control", "size-only"): 1,
    }
    split = found["dataset"]["splits"][0]
    assert split == {"name": "holdout", "pretext": 40, "train": 32, "test": 8}
    assert found["dataset"]["unlabelled"] == 8


def test_a_run_folder_holds_what_was_promised(finished):
    assert {path.name for path in finished.iterdir()} == {
        "study.yaml",
        "cases.csv",
        "features.parquet",
        "pictures.parquet",
        "checkpoints",
        "tensorboard",
        "metrics.jsonl",
        "model",
        "embeddings.parquet",
        "predictions.parquet",
        "attention.parquet",
        "results.json",
        "evaluations.jsonl",
        "trials",  # the probe out of fold, by which its sets are calibrated
        ".lock",
    }
    resolved = yaml.safe_load((finished / "study.yaml").read_text(encoding="utf-8"))
    assert resolved["versions"]["rdfc-core"]
    assert resolved["versions"]["rdfc-objective-infonce"]
    assert resolved["versions"]["rdfc-small-parts"] == "0.1.0"
    assert resolved["seed"] == 0
    assert not list(finished.rglob("*partial*"))
    assert not [p for p in finished.rglob("*") if p.suffix in (".pkl", ".pickle", ".pt", ".pth")]


def test_labels_shuffled_in_training_end_at_chance(results):
    for row in results.rows:
        if row.method == "shuffled-labels" and row.metric in ("auroc", "balanced_accuracy"):
            assert row.ci_low < 0.5 < row.ci_high
            assert 0.3 < row.mean < 0.7


def test_what_can_be_seen_in_the_pictures_is_learnt(results):
    found = {(r.method, r.input): r.mean for r in results.rows if r.metric == "auroc"}
    assert found["radiomics", "radiomics"] > 0.8  # malignant phantoms are darker and rounder
    assert found["shape-only", "radiomics"] > 0.7


def test_predictions_give_the_scores_that_were_reported(finished, results):
    table = pq.read_table(finished / "predictions.parquet").to_pylist()
    for row in results.rows:
        if row.metric != "accuracy" or row.seeds > 1:
            continue
        said = [
            one
            for one in table
            if (one["method"], one["input"], one["layer"], one["classifier"])
            == (row.method, row.input, row.layer, row.classifier)
        ]
        assert len(said) == row.n_cases
        right = np.mean([one["label"] == one["predicted"] for one in said])
        assert row.mean == pytest.approx(right)
        assert all(sum(one["probabilities"]) == pytest.approx(1) for one in said)


def test_how_the_embeddings_of_test_cases_lie_is_told(finished, results):
    [(split, of_split)] = results.run["embeddings"].items()
    assert split == "holdout"
    signs = of_split["rdfc"]
    tested = {row["case_id"] for row in pq.read_table(finished / "predictions.parquet").to_pylist()}
    assert signs["cases"] == len(tested)
    hits = signs["radiomics-image.retrieval_top1"] * 2 * len(tested)
    assert hits == pytest.approx(round(hits))
    assert -1 <= signs["image.off_diagonal"] <= 1


def test_families_and_maps_of_the_judged_model_are_kept_for_the_report(finished, results):
    assert {one.grouping for one in results.importance} == {"class", "filter"}
    assert {one.family for one in results.importance} >= {"firstorder", "shape", "gradient"}
    assert all(-1 <= one.mean <= 1 for one in results.importance)
    table = pq.read_table(finished / "attention.parquet").to_pylist()
    tested = {row["case_id"] for row in pq.read_table(finished / "predictions.parquet").to_pylist()}
    assert table
    assert {row["case_id"] for row in table} <= tested
    for row in table:
        assert row["overlay"].startswith(b"\x89PNG")
        assert 0.5 <= row["probability"] <= 1  # of two classes the one that is predicted
    assert results.run["no_attention"] == ""


def test_embeddings_hold_every_case_of_the_split_once_with_its_part(finished):
    table = pq.read_table(finished / "embeddings.parquet").to_pydict()
    assert sorted(table["case_id"]) == [f"case-{i:03d}" for i in range(36)]
    assert {len(vector) for vector in table["vector"]} == {48}
    cases = (finished / "cases.csv").read_text(encoding="utf-8").splitlines()
    parts = {line.split(",")[0]: line.split(",")[4] for line in cases[1:]}
    assert dict(zip(table["case_id"], table["part"], strict=True)) == parts


def test_folds_give_a_model_each_and_rows_over_all_labelled_cases(pictures, run_context, tmp_path):
    study = small_study.resolved(
        pictures, *QUICK, "split.kind=folds", "split.folds=3", "pretrain.epochs=1"
    )
    results = studies.run(study, tmp_path / "run", run_context)
    assert {path.name for path in (tmp_path / "run" / "model").iterdir()} == {
        "fold-1",
        "fold-2",
        "fold-3",
    }
    for row in results.rows:
        assert (row.folds, row.n_cases) == (3, 30)
        assert row.sd is not None
    epochs = (tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["split"] for line in epochs] == ["fold-1", "fold-2", "fold-3"]


def test_folds_with_the_same_pretext_cases_share_one_pretraining(pictures, run_context, tmp_path):
    folds = ("split.kind=folds", "split.folds=3", "split.pretext=unlabelled")
    study = small_study.resolved(pictures, *QUICK, *folds, "pretrain.epochs=2")
    results = studies.run(study, tmp_path / "run", run_context)
    lines = (tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2]
    assert {row.folds for row in results.rows} == {3}
    weights = [
        load_file(tmp_path / "run" / "model" / f"fold-{i}" / "weights.safetensors")
        for i in (1, 2, 3)
    ]
    for name, first in weights[0].items():
        alike = all(np.array_equal(first, other[name]) for other in weights[1:])
        assert alike == (not name.startswith("classifier.")), name


def test_no_test_case_has_part_in_what_is_learnt(pictures, run_context, tmp_path):
    """Other test pictures change the test scores, and neither scaler, weights nor classifier."""
    folder = Path(shutil.copytree(pictures, tmp_path / "own"))
    study = small_study.resolved(folder, *QUICK, "pretrain.epochs=1")
    studies.run(study, tmp_path / "one", run_context)
    cases = (tmp_path / "one" / "cases.csv").read_text(encoding="utf-8").splitlines()
    tested = [line.split(",")[0] for line in cases if line.split(",")[4] == "test"]
    rng = np.random.default_rng(5)
    for name in tested:
        image, mask = small_parts.draw_picture(rng, malignant=False)
        Image.fromarray(image).save(folder / "images" / f"{name}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{name}.png")
    studies.run(study, tmp_path / "two", run_context)
    weights = [
        (tmp_path / run / "model" / "holdout" / "weights.safetensors").read_bytes()
        for run in ("one", "two")
    ]
    assert weights[0] == weights[1]
    assert lasting(tmp_path / "one")["rows"] != lasting(tmp_path / "two")["rows"]


def relabel(pictures: Path, target: Path, label: Callable[[str], str]) -> Path:
    folder = Path(shutil.copytree(pictures, target))
    lines = (folder / "manifest.csv").read_text(encoding="utf-8").splitlines()
    changed = [line.rpartition(",") for line in lines[1:]]
    text = "\n".join([lines[0], *(f"{head},{label(old)}" for head, _, old in changed)])
    (folder / "manifest.csv").write_text(text + "\n", encoding="utf-8")
    return folder


def test_one_class_cannot_be_evaluated_and_nothing_is_trained(pictures, run_context, tmp_path):
    folder = relabel(pictures, tmp_path / "own", lambda label: "benign" if label else "")
    study = small_study.resolved(folder, *QUICK)
    with pytest.raises(DataError, match="All 30 labelled cases are 'benign'"):
        studies.run(study, tmp_path / "run", run_context)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_pretraining_needs_no_labels(pictures, run_context, tmp_path):
    folder = relabel(pictures, tmp_path / "own", lambda label: "")
    study = small_study.resolved(folder, *QUICK, "pretrain.epochs=1")
    results = studies.run(study, tmp_path / "run", run_context, until="pretrain")
    assert results.dataset["splits"] == [{"name": "all", "pretext": 36, "train": 0, "test": 0}]
    assert (tmp_path / "run" / "model" / "all" / "weights.safetensors").exists()


def test_three_classes_are_evaluated(pictures, run_context, tmp_path):
    turn = iter(range(100))
    folder = relabel(
        pictures, tmp_path / "own", lambda label: label and ("a", "b", "c")[next(turn) % 3]
    )
    study = small_study.resolved(folder, *QUICK, "evaluate.classifiers=[logistic,sgd,knn]")
    results = studies.run(study, tmp_path / "run", run_context)
    assert results.dataset["classes"] == ["a", "b", "c"]
    assert {row.classifier for row in results.rows} == {"logistic", "sgd", "knn"}
    assert all(row.mean is not None and 0 <= row.mean <= 1 for row in results.rows)


def test_one_class_that_is_left_is_refused_before_anything_is_extracted(
    pictures, run_context, tmp_path, caplog
):
    study = small_study.resolved(pictures, "dataset.classes=[benign,cyst]")
    with pytest.raises(DataError, match="All 15 labelled cases are 'benign'"):
        studies.run(study, tmp_path / "run", run_context)
    assert "15 cases have the label 'malignant', which is none of the classes" in caplog.text
    assert "Class 'cyst' has no labelled case" in caplog.text
    assert not (tmp_path / "run").exists()
    assert run_context.store.count() == 0


def test_neighbours_alone_still_leave_a_classifier_to_predict_with(pictures, run_context, tmp_path):
    study = small_study.resolved(
        pictures, *QUICK, "evaluate.classifiers=[knn]", "pretrain.epochs=0"
    )
    results = studies.run(study, tmp_path / "run", run_context)
    assert {r.classifier for r in results.rows if r.table == "linear"} == {"knn"}
    about = json.loads((tmp_path / "run" / "model" / "holdout" / "model.json").read_text("utf-8"))
    assert about["views"] == ["radiomics", "image", "greys"]


def test_controls_that_are_not_asked_for_are_not_made(pictures, run_context, tmp_path):
    study = small_study.resolved(
        pictures, *QUICK, "evaluate.controls=[size-only]", "pretrain.epochs=0"
    )
    results = studies.run(study, tmp_path / "run", run_context)
    assert {row.method for row in results.rows} == {"rdfc", "size-only"}


def test_the_libraries_objects_are_left_alone_while_it_runs_and_no_longer(
    pictures, run_context, tmp_path
):
    spared = []

    class Watching(Progress):
        def waiting(self, what: str) -> AbstractContextManager[None]:
            spared.append(gc.get_freeze_count())
            return super().waiting(what)

    study = small_study.resolved(pictures, *QUICK)
    watched = replace(run_context, progress=Watching())
    studies.run(study, tmp_path / "run", watched, until="extract")
    assert min(spared) > 50_000  # PyTorch alone makes more
    assert gc.get_freeze_count() == 0


def test_plugins_hear_of_the_run(pictures, registry, run_context, tmp_path):
    heard: list[tuple[str, Any]] = []

    class Listener:
        from rdfc_core import hookimpl

        @hookimpl
        def rdfc_run_started(self, folder: Path, study: dict[str, Any]) -> None:
            heard.append(("started", study["seed"]))

        @hookimpl
        def rdfc_epoch_ended(self, split: str, metrics: dict[str, float]) -> None:
            heard.append((split, metrics["epoch"]))

        @hookimpl
        def rdfc_run_finished(self, results: dict[str, Any]) -> None:
            heard.append(("finished", len(results["rows"])))

    listener = Listener()
    registry.hooks.register(listener)
    try:
        study = small_study.resolved(pictures, *QUICK, "pretrain.epochs=2", "evaluate.controls=[]")
        studies.run(study, tmp_path / "run", run_context)
    finally:
        registry.hooks.unregister(listener)
    assert heard == [
        ("started", 0),
        ("holdout", 1),
        ("holdout", 2),
        ("finished", 16 * len(METRICS)),
    ]


def test_results_are_read_back_as_they_were_written(results, tmp_path):
    results.write(tmp_path / "results.json")
    assert Results.read(tmp_path / "results.json") == results
    assert not any(math.isnan(row.mean or 0) for row in results.rows)
