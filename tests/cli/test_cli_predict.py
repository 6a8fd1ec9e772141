"""``rdfc predict``, ``rdfc embed`` and ``rdfc report`` on a finished run."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.run_folder import RunFolder
from tests.support import small_study
from tests.support.command import HERE


def test_predict_gives_probabilities_as_csv_json_and_file(rdfc_here, finished, pictures):
    one = [pictures / kind / "case-001.png" for kind in ("images", "masks")]
    args = ("predict", finished, "--image", one[0], "--mask", one[1], *HERE)
    done = rdfc_here(*args)
    assert done.code == 0, done.err
    [row] = csv.DictReader(done.out.splitlines())
    assert row["case_id"] == "case-001"
    assert row["predicted"] in ("benign", "malignant")
    chances = {name: float(row[f"p_{name}"]) for name in ("benign", "malignant")}
    assert sum(chances.values()) == pytest.approx(1, abs=1e-5)
    assert row["predicted"] == max(chances, key=lambda name: chances[name])
    [as_json] = json.loads(rdfc_here(*args, "--json").out)
    assert list(as_json) == list(row)
    assert as_json["certain"] == (";" not in row["prediction_set"] and row["prediction_set"] != "")
    assert (
        as_json
        | {"case_id": "case-001", "predicted": row["predicted"]}
        | {f"p_{name}": chance for name, chance in chances.items()}
        == as_json
    )
    many = rdfc_here("predict", finished, "--manifest", pictures, "--out", "said.csv", *HERE)
    assert (many.code, many.out) == (0, "")
    assert "On the 6 cases whose label is known" in many.err
    assert "The run has learnt from 24 of the labelled cases" in many.err
    with Path("said.csv").open(encoding="utf-8") as file:
        rows = {line["case_id"]: line for line in csv.DictReader(file)}
    assert len(rows) == 36
    assert float(rows["case-001"]["p_benign"]) == pytest.approx(chances["benign"], abs=1e-5)
    rdfc_here("predict", finished, "--manifest", pictures, "--out", "said.csv").refused(
        "said.csv exists", "--overwrite"
    )
    assert (
        rdfc_here(
            *(
                "predict",
                finished,
                "--manifest",
                pictures,
                "--out",
                "said.csv",
                "--overwrite",
                *HERE,
            )
        ).code
        == 0
    )


def test_embed_writes_a_parquet_file(rdfc_here, finished, pictures):
    args = ("embed", finished, "--manifest", pictures, "--out", "e.parquet", *HERE)
    assert rdfc_here(*args).code == 0
    table = pq.read_table("e.parquet").to_pydict()
    assert len(table["case_id"]) == 36
    assert {len(vector) for vector in table["vector"]} == {48}
    rdfc_here(*args).refused("e.parquet exists", "--overwrite")


def test_report_draws_the_report_again(rdfc_here, finished, tmp_path):
    run = Path(shutil.copytree(finished, tmp_path / "copy"))
    done = rdfc_here("report", run)
    assert done.code == 0, done.err
    assert done.out.strip() == str(run / "report.html")
    assert "<html" in (run / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["predict", "embed"])
def test_a_table_is_written_as_its_name_ends_or_refused(rdfc_here, finished, pictures, command):
    args = (command, finished, "--manifest", pictures, *HERE, "--out")
    columns = {}
    for name in ("t.csv", "t.PARQUET"):
        done = rdfc_here(*args, name)
        assert done.code == 0, done.err
        if name.endswith("csv"):
            with Path(name).open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            columns["csv"] = [row["case_id"] for row in rows]
        else:
            columns["parquet"] = pq.read_table(name).to_pydict()["case_id"]
    assert columns["csv"] == columns["parquet"]
    assert len(columns["csv"]) == 36
    rdfc_here(*args, "t.xlsx").refused("t.xlsx", "ends with '.xlsx'", ".csv or .parquet")
    rdfc_here(*args, "t").refused("has no ending")
    rdfc_here(*args, "nowhere/t.csv").refused("the folder nowhere does not exist")
    Path("folder.csv").mkdir()
    rdfc_here(*args, "folder.csv").refused("is a folder")


@pytest.mark.parametrize("command", ["predict", "embed"])
@pytest.mark.parametrize("named", ["list", "folder"])
def test_the_list_that_is_read_is_never_replaced(
    rdfc_here, finished, pictures, tmp_path, command, named
):
    own = Path(shutil.copytree(pictures, tmp_path / "own"))
    listing = own / "manifest.csv"
    before = listing.read_bytes()
    args = (command, finished, "--manifest", listing if named == "list" else own, *HERE)
    rdfc_here(*args, "--out", listing, "--overwrite").refused("is what is read")
    assert listing.read_bytes() == before


def test_csv_and_parquet_hold_the_same_vectors(rdfc_here, finished, pictures):
    for name in ("e.csv", "e.parquet"):
        assert rdfc_here("embed", finished, "--manifest", pictures, *HERE, "--out", name).code == 0
    with Path("e.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    vectors = pq.read_table("e.parquet").to_pydict()["vector"]
    assert [list(map(float, list(row.values())[4:])) for row in rows] == [
        pytest.approx(vector, rel=1e-5) for vector in vectors
    ]


def test_embeddings_of_several_networks_are_told_apart_and_warned_of(
    rdfc_here, pictures, run_context, tmp_path
):
    study = small_study.resolved(pictures, "split.kind=folds", "split.folds=2", "pretrain.epochs=1")
    studies.run(study, tmp_path / "run", run_context, until="pretrain")
    done = rdfc_here("embed", tmp_path / "run", "--manifest", pictures, *HERE, "--out", "e.parquet")
    assert done.code == 0, done.err
    assert "has 2 splits, each with a network and a space of its own" in done.err
    assert set(pq.read_table("e.parquet").to_pydict()["split"]) == {"fold-1", "fold-2"}


@pytest.mark.parametrize("command", ["predict", "embed"])
def test_a_run_is_read_and_its_readers_are_installed_once(
    rdfc_here, finished, pictures, monkeypatch, command
):
    calls = Counter()

    def counted(owner: type, name: str) -> None:
        own = getattr(owner, name)

        def call(*arguments: object) -> object:
            calls[name] += 1
            return own(*arguments)

        monkeypatch.setattr(owner, name, call)

    counted(RunFolder, "load_study")
    counted(AutoReader, "installed")
    args = (command, finished, "--manifest", pictures, "--out", "t.csv", *HERE)
    assert rdfc_here(*args).code == 0
    assert calls == {"load_study": 1, "installed": 1}
