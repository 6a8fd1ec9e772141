"""A study of three scanners: ComBat is fitted on pretext cases, saved, and used on other lists."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet
from safetensors.numpy import load_file

import rdfc_core as rdfc
from rdfc_core.config.load import load
from rdfc_core.errors import DataError, StudyError
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.models.temperature import tempered
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.extraction import extract
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.predict import embed, predict
from rdfc_core.plugin import registry as plugins
from rdfc_core.utils.warning_capture import captured_warnings

SIDE = 24
GAIN = {"A": 1.0, "B": 0.6, "C": 1.3}
COMBAT: dict[str, Any] = {"name": "combat", "batch": "scanner"}
SETTINGS: dict[str, Any] = {
    "pretext": {"name": "correspondence", "width": 16},
    "objective": "infonce:negatives=16",
    "pretrain": {"epochs": 1, "batch_size": 32, "precision": "32-true"},
    "evaluate": {
        "bootstrap": 100,
        "classifiers": ["logistic"],
        "controls": [],
        "methods": ["radiomics-logistic", "radiomics"],
        "selection": {"enabled": True},
    },
}


def write_cases(folder: Path, scanners: str, seed: int, brighter: int = 0) -> Path:
    """Pictures whose scanners differ in gain; the last third is the test part.

    Args:
        folder: To be made.
        scanners: Of the cases in turn.
        seed: Of the noise.
        brighter: Grey values that the pictures of the test part have more.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    y, x = np.mgrid[:SIDE, :SIDE]
    count = 60
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["case_id", "image", "mask", "label", "scanner", "part"])
        for place in range(count):
            name, positive = f"case-{place:03d}", (place // 3) % 2
            scanner = scanners[place % len(scanners)]
            part = "test" if place >= 40 else "train"
            middle, radii = rng.uniform(9, 15, 2), rng.uniform(4, 8, 2)
            inside = ((y - middle[0]) / radii[0]) ** 2 + ((x - middle[1]) / radii[1]) ** 2 <= 1
            grey = rng.normal(110 - (20 + 15 * positive) * inside, 10) * GAIN.get(scanner, 0.8)
            grey += brighter * (part == "test")
            Image.fromarray(grey.clip(0, 255).astype(np.uint8)).save(folder / f"{name}.png")
            Image.fromarray((255 * inside).astype(np.uint8)).save(folder / f"{name}.mask.png")
            label = ("benign", "malignant")[positive]
            writer.writerow([name, f"{name}.png", f"{name}.mask.png", label, scanner, part])
    return folder


def source(folder: Path, harmonise: Any, **further: Any) -> dict[str, Any]:
    dataset = {
        "name": "manifest",
        "root": str(folder),
        "columns": ["scanner"],
        "split_column": "part",
    }
    radiomics = {"extractor": "outline", "width": 16, "layers": 1, "harmonise": harmonise}
    image = {"encoder": "small-cnn", "size": [16, 16]}
    views = {"radiomics": radiomics, "image": image}
    return {**SETTINGS, "dataset": dataset, "views": views, **further}


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
    return write_cases(tmp_path_factory.mktemp("data") / "cases", "ABC", seed=0)


@pytest.fixture(scope="module")
def run(cases, context, components, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "run"
    studies.run(load(source(cases, COMBAT), (), components), folder, context)
    return folder


def saved(run: Path) -> dict[str, np.ndarray]:
    """What the feature view of the only split has learnt."""
    (file,) = (run / "model").rglob("weights.safetensors")
    return {k: v for k, v in load_file(file).items() if k.startswith("view.radiomics.")}


def test_what_is_saved_does_not_change_with_the_test_cases(run, context, components, tmp_path):
    changed = write_cases(tmp_path / "changed", "ABC", seed=0, brighter=60)
    studies.run(load(source(changed, COMBAT), (), components), tmp_path / "run", context)
    before, after = saved(run), saved(tmp_path / "run")
    assert "view.radiomics.harmonise.scale" in before
    assert {k: v.tobytes() for k, v in before.items()} == {k: v.tobytes() for k, v in after.items()}


def test_scanners_look_alike_afterwards_and_not_before(run, context, components):
    opened = OpenRun(run, components)
    (model,) = opened.models.values()
    listed = opened.listed_cases(Path(opened.study.dataset.config.root))
    extraction = extract(listed, model.views, context)
    ids = [case.case_id for case in listed if case.columns["part"] == "train"]
    scanner = np.array([c.columns["scanner"] for c in listed if c.columns["part"] == "train"])
    view = model.views["radiomics"]
    prepared = extraction.of("radiomics", ids)
    place = next(k for k, name in enumerate(view.names) if name.endswith("Mean"))
    raw = np.array([one.array[place] for one in prepared])
    harmonised = view.measured(prepared)[:][:, place]
    assert abs(raw[scanner == "B"].mean() - raw[scanner == "C"].mean()) > raw.std()
    gap = abs(harmonised[scanner == "B"].mean() - harmonised[scanner == "C"].mean())
    assert gap < 0.2 * harmonised.std()


def test_features_are_not_measured_again_for_it(cases, context, components, run):
    study = load(source(cases, None), (), components)
    views = {name: view.build(components) for name, view in study.views.items()}
    reader = OpenRun(run, components)
    assert extract(reader.listed_cases(cases), views, context).made == 0


def test_saved_methods_predict_what_they_said_in_the_run(run, context, components, cases):
    """Through the loaded model, whose harmoniser was saved with it; the SVM once calibrated."""
    opened = OpenRun(run, components)
    test = [c for c in opened.listed_cases(cases) if c.columns["part"] == "test"]
    (model,) = opened.models.values()
    heat = {one.candidate: one.temperature for one in model.selection.ranking}
    rows = parquet.read_table(run / "predictions.parquet").to_pylist()
    for method, temperature in (("selected", 1.0), ("radiomics", heat["radiomics"])):
        said = predict(run, test, context, method)
        told = {
            row["case_id"]: row["probabilities"]
            for row in rows
            if (row["table"], row["method"]) == ("supervised", method)
        }
        expected = tempered(np.array([told[case_id] for case_id in said.case_ids]), temperature)
        np.testing.assert_allclose(said.probabilities, expected, rtol=1e-3, atol=1e-5)


def test_an_encoder_of_the_features_asks_for_the_scanner(run, components, cases, context):
    encoder = rdfc.load_run(run).encoder("radiomics")
    opened = OpenRun(run, components)
    listed = opened.listed_cases(cases)[:4]
    (model,) = opened.models.values()
    extraction = extract(listed, model.views, context)
    prepared = extraction.of("radiomics", [case.case_id for case in listed])
    expected = model.views["radiomics"].collate(prepared)
    np.testing.assert_allclose(encoder.prepare(list(listed)).numpy(), expected.numpy(), rtol=1e-5)
    picture = str(cases / "case-000.png"), str(cases / "case-000.mask.png")
    with pytest.raises(DataError, match="scanner"):
        encoder.prepare(*picture)


def test_a_new_scanner_fails_case_by_case_with_a_sentence(run, context, components, tmp_path):
    listing = write_cases(tmp_path / "new", "AD", seed=1)
    new = OpenRun(run, components).listed_cases(listing)
    said = predict(run, new, context)
    assert len(said.case_ids) == len(said.failures) == 30
    assert "No pretext case is of the scanner 'd' (they are of a, b, c)" in said.failures[0].reason


def test_a_list_without_the_column_is_refused(run, context, components, tmp_path):
    listing = write_cases(tmp_path / "new", "A", seed=1) / "manifest.csv"
    listing.write_text(listing.read_text().replace("scanner", "device"))
    with pytest.raises((DataError, StudyError), match="scanner"):
        predict(run, OpenRun(run, components).listed_cases(listing.parent), context)


def test_a_new_scanner_can_be_taken_by_its_own_cases_which_is_told(
    cases, context, components, tmp_path
):
    own = {**COMBAT, "new_sites": "own"}
    studies.run(load(source(cases, own), (), components), tmp_path / "run", context)
    new = OpenRun(tmp_path / "run", components).listed_cases(
        write_cases(tmp_path / "new", "D", seed=1)
    )
    with captured_warnings() as heard:
        whole = predict(tmp_path / "run", new, context)
    assert any("60 cases are of the scanner 'd'" in one for one in heard)
    assert len(whole.case_ids) == 60
    few = predict(tmp_path / "run", new[:5], context)
    assert not few.case_ids
    assert "there are 5 cases of it here" in few.failures[0].reason
    assert len(embed(tmp_path / "run", new, context)[0]) == 60


def test_a_scanner_of_test_cases_alone_is_refused_before_training(context, components, tmp_path):
    folder = write_cases(tmp_path / "cases", "AB", seed=0)
    listing = folder / "manifest.csv"
    lines = listing.read_text().splitlines()
    lines[1:] = [x.replace(",A,test", ",D,test").replace(",B,test", ",D,test") for x in lines[1:]]
    listing.write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"In the split .*'radiomics'.*scanner 'd'"):
        studies.run(load(source(folder, COMBAT), (), components), tmp_path / "run", context)
    assert not list((tmp_path / "run").rglob("*.safetensors"))
    own = {**COMBAT, "new_sites": "own"}
    results = studies.run(load(source(folder, own), (), components), tmp_path / "own", context)
    assert any("20 cases are of the scanner 'd'" in one for one in results.warnings)
    assert "d" not in saved(tmp_path / "own")["view.radiomics.harmonise.batches"].tobytes().decode()


@pytest.mark.parametrize("column", ["label", "Label"])
def test_the_label_is_refused(cases, context, components, tmp_path, column):
    harmonise = {**COMBAT, "categories": [column]}
    with pytest.raises(StudyError, match="is the label"):
        studies.run(load(source(cases, harmonise), (), components), tmp_path / "run", context)


def test_a_column_that_repeats_the_label_is_refused(context, components, tmp_path):
    folder = write_cases(tmp_path / "cases", "AB", seed=0)
    listing = folder / "manifest.csv"
    lines = [line.split(",") for line in listing.read_text().splitlines()]
    for row in lines[1:]:
        row[4] = row[3]
    listing.write_text("\n".join(map(",".join, lines)))
    with pytest.raises(StudyError, match="holds the label of every labelled case"):
        studies.run(load(source(folder, COMBAT), (), components), tmp_path / "run", context)


def test_a_column_that_the_list_does_not_offer_is_refused(cases, context, components, tmp_path):
    harmonise = {"name": "combat", "batch": "site"}
    with pytest.raises(StudyError, match="needs the column 'site', which no case offers"):
        studies.run(load(source(cases, harmonise), (), components), tmp_path / "run", context)
