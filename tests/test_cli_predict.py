"""``rdfc predict``, ``rdfc embed`` and ``rdfc report`` on a finished run."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command import HERE


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
    assert as_json == {"case_id": "case-001", "predicted": row["predicted"]} | {
        f"p_{name}": chance for name, chance in chances.items()
    }
    many = rdfc_here("predict", finished, "--manifest", pictures, "--out", "said.csv", *HERE)
    assert (many.code, many.out) == (0, "")
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
