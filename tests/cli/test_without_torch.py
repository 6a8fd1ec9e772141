"""What works where only features are extracted: none of the libraries of training is installed."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from rdfc_core.utils.training_extra import LIBRARIES
from tests.support.command import HERE, Done

BLOCKED = f"""
import sys
for name in {LIBRARIES!r}:
    sys.modules[name] = None  # as where it is not installed
from rdfc_core.cli import main
main()
"""

TRAINING = [
    f"rdfc-{name}"
    for name in (
        "encoder-monai",
        "encoder-timm",
        "objective-infonce",
        "pretext-baselines",
        "query-strategies",
        "view-table",
    )
]
"""Plugins that are not installed there, as they need the extra ``train``."""


@pytest.fixture
def bare(tmp_path):
    """Runs a command in such an environment, in a folder of four cases."""
    rng = np.random.default_rng(0)
    rows = ["case_id,patient_id,image,mask,label"]
    for place in range(4):
        mask = np.zeros((40, 48), np.uint8)
        mask[8 : 28 + place, 10:34] = 255
        Image.fromarray(rng.integers(0, 255, mask.shape, np.uint8)).save(
            tmp_path / f"image{place}.png"
        )
        Image.fromarray(mask).save(tmp_path / f"mask{place}.png")
        label = ("benign", "malignant")[place % 2]
        rows.append(f"c{place},p{place},image{place}.png,mask{place}.png,{label}")
    (tmp_path / "cases.csv").write_text("\n".join(rows) + "\n")

    def run(*arguments: object, program: str = BLOCKED) -> Done:
        done = subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    run.folder = tmp_path
    return run


def test_features_are_the_same_to_the_last_digit(bare):
    done = bare("features", "cases.csv", "--param", "ultrasound", "--out", "bare.csv", "-j", 0)
    assert done.code == 0, done.err
    assert "PyTorch" not in done.err
    whole = "from rdfc_core.cli import main; main()"
    arguments = ("--store", "other", "--out", "whole.csv", "-j", 0)
    assert bare("features", "cases.csv", "-p", "ultrasound", *arguments, program=whole).code == 0
    assert (bare.folder / "bare.csv").read_bytes() == (bare.folder / "whole.csv").read_bytes()
    rows = list(csv.DictReader((bare.folder / "bare.csv").open()))
    assert [row["case_id"] for row in rows] == ["c0", "c1", "c2", "c3"]
    assert len(rows[0]) > 500


def test_parquet_is_refused_before_anything_is_measured(bare):
    refused = bare("features", "cases.csv", "--out", "f.parquet").refused("pyarrow", ".csv")
    assert "rdfc-core[parquet]" in refused
    assert not (bare.folder / "cache" / "rdfc").exists()


def test_what_is_extracted_is_what_a_run_finds_in_the_store(bare):
    study = ("--dataset", "manifest:csv=cases.csv", "--store", "store.sqlite", *HERE)
    study += ("--set", "views.radiomics.extractor=native:parameters=ultrasound")
    done = bare("extract", *study)
    assert done.code == 0, done.err
    assert "4 cases are in store.sqlite, 4 of them new" in done.err
    assert "The view 'image' is left to where the study is trained" in done.err
    whole = "from rdfc_core.cli import main; main()"
    (bare.folder / "study.yaml").write_text(
        "dataset: manifest:csv=cases.csv\n"
        "views: {radiomics: {extractor: {name: native, parameters: ultrasound}}}\n"
    )
    alone = ("study.yaml", "--store", "store.sqlite", "--shard", "1/1", *HERE)
    again = bare("extract", *alone, program=whole)
    assert again.code == 0, again.err
    assert "0 of them new" in again.err  # nothing was measured that had been before
    bare("extract", *study, "--out", "run").refused("leave out --out", "rdfc-core[paper]")


def test_lists_are_made_and_checked(bare):
    (bare.folder / "excel.csv").write_text(
        "Picture;Outline;Diagnosis\nimage0.png;mask0.png;benign\nimage1.png;mask1.png;malignant\n"
    )
    columns = ("--column", "image=Picture", "--column", "mask=Outline")
    built = bare("datasets", "build", "excel.csv", *columns, "--out", "made.csv")
    assert built.code == 0, built.err
    checked = bare("datasets", "check", "manifest", "--root", "made.csv")
    assert checked.code == 0, checked.err + checked.out
    whole = bare("datasets", "check", "manifest", "--root", "cases.csv")
    assert whole.code == 0, whole.err + whole.out
    assert "scikit-learn" in whole.out + whole.err  # that no split was tried


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--dataset", "manifest:csv=cases.csv"),
        ("pretrain", "--dataset", "manifest:csv=cases.csv"),
        ("evaluate", "--dataset", "manifest:csv=cases.csv"),
        ("demo",),
        ("reproduce", "tn-scui2020", "--root", "."),
        ("predict", "run", "--manifest", "cases.csv"),
        ("embed", "run", "--manifest", "cases.csv", "--out", "e.csv"),
        ("report", "run"),
    ],
    ids=lambda command: command[0],
)
def test_what_trains_says_what_to_install(bare, command):
    (bare.folder / "run").mkdir()
    bare(*command).refused("not installed here", "pip install")
    assert sorted(path.name for path in (bare.folder / "run").iterdir()) == []


def test_doctor_and_listing_tell_what_is_missing(bare):
    off = [word for name in TRAINING for word in ("--without", name)]
    done = bare("doctor", *off)
    assert done.code == 0, done.out
    assert "view 'image'" in done.out
    assert "it needs torch" in done.out
    listed = json.loads(bare("plugins", "list", "--json", *off).out)["components"]
    why = {one["name"]: one["unavailable"] for one in listed if one["kind"] == "view"}
    assert why["features"] is None
    assert "torch" in why["image"]


def test_trees_of_scikit_learn_are_listed_as_missing(bare):
    off = [word for name in TRAINING for word in ("--without", name)]
    listed = json.loads(bare("plugins", "list", "--json", *off).out)["components"]
    why = {one["name"]: one["unavailable"] for one in listed if one["kind"] == "evaluator"}
    assert "it needs scikit-learn" in why["random-forest"]
    assert why["class-frequencies"] is None
