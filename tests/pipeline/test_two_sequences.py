"""A study of two sequences and a clinical view, from its list to predictions on new cases.

The class shows in the second sequence alone: the first and the columns know nothing of it.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image
from sklearn.metrics import roc_auc_score

from rdfc_core import DataError, StudyError, load_run
from rdfc_core.cli import predict as command
from rdfc_core.config.load import load
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.predict import embed, predict
from rdfc_core.plugin import registry as plugins

THIRD_PARTY = Path(__file__).parents[1] / "third_party/rdfc-thirdparty-example/src"
SIDE = 32
SETTINGS: dict[str, Any] = {
    "pretext": {"name": "correspondence", "width": 16},
    "objective": "infonce:negatives=16",
    "pretrain": {"epochs": 2, "batch_size": 16, "precision": "32-true"},
    "evaluate": {
        "bootstrap": 100,
        "classifiers": ["logistic"],
        "controls": ["radiomics"],
        "methods": ["hybrid-finetune"],
        "selection": {"enabled": False},
        "supervised": {"epochs": 2, "min_steps": 0},
    },
}
VIEWS: dict[str, Any] = {
    "radiomics": {"extractor": "outline", "images": ["t1", "flair"], "width": 16, "layers": 1},
    "image": {"encoder": "small-cnn", "images": ["t1", "flair"], "size": [16, 16]},
    "clinical": {"name": "clinical", "numbers": ["age"], "categories": ["sex"], "width": 8},
}


def write_sequences(folder: Path, count: int, seed: int) -> Path:
    """Pictures ``t1`` and ``flair`` of each case, one mask, and a list with age and sex."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    rows = []
    for place in range(count):
        malignant = place % 2 == 1
        y, x = np.mgrid[:SIDE, :SIDE]
        centre, radii = rng.uniform(14, 18, 2), rng.uniform(5, 8, 2)
        inside = ((y - centre[0]) / radii[0]) ** 2 + ((x - centre[1]) / radii[1]) ** 2 <= 1
        name = f"case-{place:03d}"
        for sequence, depth in (("t1", 40), ("flair", 70 if malignant else 10)):
            grey = rng.normal(150, 12, inside.shape) - depth * inside
            pixels = grey.clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{name}.{sequence}.png")
        Image.fromarray((255 * inside).astype(np.uint8)).save(folder / f"{name}.mask.png")
        age = "" if place % 7 == 3 else f"{rng.integers(30, 80)}{'.0' * (place % 2)}"
        rows.append(
            {
                "case_id": name,
                "image.t1": f"{name}.t1.png",
                "image.flair": f"{name}.flair.png",
                "mask": f"{name}.mask.png",
                "label": "malignant" if malignant else "benign",
                "age": age,
                "sex": rng.choice(["f", "m"]),
            }
        )
    write_list(folder / "manifest.csv", rows)
    return folder


def write_list(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def dataset(folder: Path, **options: Any) -> dict[str, Any]:
    return {"name": "manifest", "root": str(folder), "columns": ["age", "sex"], **options}


@pytest.fixture(scope="module")
def components(small_distribution, distribution, tmp_path_factory):
    """The small parts and the example of a third party, as installed distributions."""
    site = tmp_path_factory.mktemp("site")
    distribution(site, "rdfc-thirdparty-example", "thirdparty = rdfc_thirdparty_example")
    sys.path[:0] = [str(site), str(THIRD_PARTY)]
    plugins.installed.cache_clear()
    yield plugins.installed()
    sys.path.remove(str(site))
    sys.path.remove(str(THIRD_PARTY))
    plugins.installed.cache_clear()


@pytest.fixture(scope="module")
def context(components, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store") / "store.sqlite")
    yield RunContext(components, store, LocalExecutor(LocalExecutorConfig(workers=0)))
    store.close()


@pytest.fixture(scope="module")
def sequences(tmp_path_factory) -> Path:
    return write_sequences(tmp_path_factory.mktemp("data") / "cases", 48, seed=0)


@pytest.fixture(scope="module")
def new(tmp_path_factory) -> Path:
    return write_sequences(tmp_path_factory.mktemp("new") / "cases", 16, seed=1)


@pytest.fixture(scope="module")
def finished(sequences, context, components, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "run"
    study = load({**SETTINGS, "dataset": dataset(sequences), "views": VIEWS}, (), components)
    studies.run(study, folder, context)
    return folder


def auroc_of_radiomics(folder: Path) -> float:
    """Logistic regression on the handcrafted features, on the held-back cases."""
    rows = json.loads((folder / "results.json").read_text())["rows"]
    (mean,) = {r["mean"] for r in rows if (r["method"], r["metric"]) == ("radiomics", "auroc")}
    return float(mean)


def test_new_cases_are_told_apart_by_the_second_sequence(finished, new, context, components):
    cases = OpenRun(finished, components).listed_cases(new)
    said = predict(finished, cases, context)
    assert not said.failures
    malignant = [case.label == "malignant" for case in cases]
    assert roc_auc_score(malignant, said.probabilities[:, 1]) > 0.9
    vectors, failures = embed(finished, cases, context)
    assert (len(vectors), list(failures)) == (len(cases), [])


def test_features_are_named_by_their_image(finished):
    names = pq.read_schema(finished / "features.parquet").names
    for sequence in ("t1", "flair"):
        assert f"radiomics.{sequence}.original_firstorder_Mean" in names


def test_the_run_says_what_read_its_cases(finished):
    recorded = yaml.safe_load((finished / "study.yaml").read_text())
    readers = recorded["inputs"]["readers"]
    assert list(readers) == ["pictures"]
    assert readers["pictures"]["distribution"] == "rdfc-core"
    assert readers["pictures"]["options"]["max_pixels"] > 0
    (about,) = finished.glob("model/*/model.json")
    kept = json.loads(about.read_text())["cases"]["readers"]["pictures"]
    assert kept == {**readers["pictures"], "version": recorded["versions"]["rdfc-core"]}


@pytest.mark.parametrize(("image", "tells"), [("flair", True), ("t1", False)])
def test_the_class_is_in_the_second_sequence_alone(
    image, tells, sequences, context, components, tmp_path
):
    views = {
        name: {**VIEWS[name], "images": None, "image": image}
        for name in VIEWS
        if name != "clinical"
    }
    study = load({**SETTINGS, "dataset": dataset(sequences), "views": views}, (), components)
    studies.run(study, tmp_path / "run", context)
    assert (auroc_of_radiomics(tmp_path / "run") > 0.95) == tells


def test_two_views_may_be_of_two_sequences(sequences, context, components, tmp_path):
    views = {
        "first": {"encoder": "small-cnn", "image": "t1", "size": [16, 16]},
        "second": {"encoder": "small-cnn", "image": "flair", "size": [16, 16]},
    }
    settings = {**SETTINGS, "evaluate": {**SETTINGS["evaluate"], "controls": [], "methods": []}}
    study = load({**settings, "dataset": dataset(sequences), "views": views}, (), components)
    results = studies.run(study, tmp_path / "run", context)
    assert {row.input for row in results.rows} >= {"first", "second"}


# What new cases lack


def lists_without(new: Path, tmp_path: Path, column: str) -> Path:
    rows = [{k: v for k, v in row.items() if k != column} for row in rows_of(new)]
    rows = [
        {k: str(new / v) if k.startswith(("image", "mask")) else v for k, v in row.items()}
        for row in rows
    ]
    return write_list(tmp_path / "list.csv", rows)


def test_a_list_without_an_image_is_refused(finished, new, context, components, tmp_path):
    cases = OpenRun(finished, components).listed_cases(lists_without(new, tmp_path, "image.flair"))
    with pytest.raises(StudyError, match=r"needs the image 'flair', which no case offers.*: t1\."):
        predict(finished, cases, context)


def test_a_list_without_a_column_is_refused(finished, new, components, tmp_path):
    with pytest.raises(DataError, match="has no column 'age'"):
        OpenRun(finished, components).listed_cases(lists_without(new, tmp_path, "age"))


def test_a_case_that_lacks_an_image_costs_only_itself(finished, new, context, components, tmp_path):
    rows = rows_of(new)
    rows = [
        {k: str(new / v) if k.startswith(("image", "mask")) else v for k, v in r.items()}
        for r in rows
    ]
    rows[2]["image.flair"] = ""
    cases = OpenRun(finished, components).listed_cases(write_list(tmp_path / "list.csv", rows))
    said = predict(finished, cases, context)
    (failure,) = said.failures
    assert len(said.case_ids) == len(rows) - 1
    assert "it has no image 'flair' (it has: t1)" in failure.reason
    assert failure.view in ("radiomics", "image")


def test_the_python_api_takes_a_table_of_new_cases(finished, new, tmp_path):
    import pandas as pd

    table = pd.read_csv(new / "manifest.csv")
    for column in ("image.t1", "image.flair", "mask"):
        table[column] = [str(new / name) for name in table[column]]
    run = load_run(finished)
    said = run.predict(table, store=tmp_path / "store.sqlite", executor="local:workers=0")
    assert list(said["case_id"]) == list(table["case_id"])


def test_a_single_case_is_named_on_the_command_line(finished, new, context, components):
    run = OpenRun(finished, components)
    row = rows_of(new)[0]
    images = [f"{name}={new / row[f'image.{name}']}" for name in ("flair", "t1")]
    columns = [f"{name}={row[name]}" for name in ("age", "sex")]
    masks = [str(new / row["mask"])]
    alone = command._cases(run, images, masks, None, columns, None)
    listed = predict(run, run.listed_cases(new)[:1], context)
    said = predict(run, alone, context)
    np.testing.assert_array_equal(said.probabilities, listed.probabilities)
    with pytest.raises(StudyError, match=r"write NAME=FILE \(names: t1, flair\)"):
        command._cases(run, [str(new / row["image.t1"])], masks, None, columns, None)
    with pytest.raises(StudyError, match="needs the column 'age', which no case offers"):
        predict(run, command._cases(run, images, masks, None, None, None), context)


# What a study may not ask for


def refused(sequences, components, context, tmp_path, views, **options) -> str:
    settings = {**SETTINGS, "dataset": dataset(sequences, **options), "views": views}
    with pytest.raises((StudyError, DataError)) as caught:
        studies.run(load(settings, (), components), tmp_path / "run", context)
    assert not (tmp_path / "run").exists()
    return str(caught.value)


def test_the_label_is_refused_by_name_and_by_content(sequences, components, context, tmp_path):
    def views(column: str) -> dict[str, Any]:
        return {**VIEWS, "clinical": {"name": "clinical", "categories": [column]}}

    say = refused(sequences, components, context, tmp_path, views("label"))
    assert "The column 'label' is the label, which models are to tell" in say
    say = refused(sequences, components, context, tmp_path, views("sex"), columns=["label"])
    assert "columns names 'label', which is the label" in say
    folder = tmp_path / "copied"
    folder.mkdir()
    rows = [
        {k: str(sequences / v) if k.startswith(("image", "mask")) else v for k, v in row.items()}
        | {"dx": row["label"].upper()}
        for row in rows_of(sequences)
    ]
    write_list(folder / "manifest.csv", rows)
    say = refused(folder, components, context, tmp_path, views("dx"), columns=["dx"])
    assert "The column 'dx', which the view 'clinical' needs, holds the label" in say


def test_what_no_case_offers_is_refused_before_anything_runs(
    sequences, components, context, tmp_path
):
    say = refused(
        sequences,
        components,
        context,
        tmp_path,
        {**VIEWS, "image": {**VIEWS["image"], "images": ["t2"]}},
    )
    assert "The view 'image' needs the image 't2', which no case offers" in say
    say = refused(sequences, components, context, tmp_path, VIEWS, columns=["sex"])
    assert "The view 'clinical' needs the column 'age'" in say
    unnamed = {
        name: {k: v for k, v in view.items() if k != "images"} for name, view in VIEWS.items()
    }
    say = refused(sequences, components, context, tmp_path, unnamed)
    assert "measures one image, and the cases have several (t1, flair)" in say
    assert "views.radiomics.image, or main_image" in say
