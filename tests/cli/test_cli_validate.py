"""``rdfc validate``: a finished run on labelled cases of another place."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rdfc_core as rdfc
from tests.support import small_parts
from tests.support.command import HERE


@pytest.fixture(scope="session")
def elsewhere(once) -> Path:
    """48 other cases with two more columns, and the same a good deal brighter."""

    def write(place: Path) -> None:
        folder = small_parts.write_pictures(place / "like", 48, unlabelled=4, seed=7)
        bright = place / "bright"
        (bright / "images").mkdir(parents=True)
        with (folder / "manifest.csv").open() as file:
            rows = list(csv.DictReader(file))
        for number, row in enumerate(rows):
            picture = np.asarray(Image.open(folder / row["image"])).astype(int)
            brighter = np.clip(picture // 2 + 120, 0, 255).astype(np.uint8)
            Image.fromarray(brighter).save(bright / row["image"])
            row |= {"site": "Basel" if number < 40 else "Bern", "age": str(30 + number)}
            row["patient_id"] = f"new-{row['patient_id']}"
        for target in (folder, bright):
            with (target / "manifest.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(
                    row | {"mask": str((folder / row["mask"]).resolve())} for row in rows
                )

    return once("elsewhere", write)


def test_scores_are_those_of_the_predictions(rdfc_here, finished, elsewhere, tmp_path):
    listing = elsewhere / "like" / "manifest.csv"
    done = rdfc_here(
        *("validate", finished, "--manifest", f"like={listing}", "--by", "site,age"),
        *("--out", tmp_path / "v", "--json", *HERE),
    )
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told == json.loads((tmp_path / "v" / "validation.json").read_text())
    [cohort] = told["cohorts"]
    assert (cohort["cases"], cohort["unlabelled"]) == (48, 4)
    assert cohort["per_class"] == {"benign": 22, "malignant": 22}
    said = rdfc_here("predict", finished, "--manifest", listing, *HERE)
    rows = {row["case_id"]: row for row in csv.DictReader(said.out.splitlines())}
    with listing.open() as file:
        labels = {row["case_id"]: row["label"] for row in csv.DictReader(file) if row["label"]}
    right = [rows[case_id]["predicted"] == label for case_id, label in labels.items()]
    accuracy = cohort["metrics"]["accuracy"]
    assert accuracy["estimate"] == pytest.approx(np.mean(right))
    assert accuracy["low"] <= accuracy["estimate"] <= accuracy["high"]
    [calibration] = cohort["calibration"]
    assert calibration["label"] == "malignant"
    mean = np.mean([float(rows[case_id]["p_malignant"]) for case_id in labels])
    assert calibration["predicted"] == pytest.approx(mean, abs=1e-5)
    assert calibration["observed"] == 0.5


def test_subgroups_are_values_or_ranges_of_numbers(rdfc_here, finished, elsewhere, tmp_path):
    listing = elsewhere / "like" / "manifest.csv"
    found = rdfc.validate(
        finished, listing, tmp_path / "v", by=["site", "age"], executor="local:workers=0"
    )
    groups = {(one.column, one.value): one for one in found.cohorts[0].subgroups}
    assert set(groups) == {
        ("site", "Basel"),
        ("site", "Bern"),
        ("age", "≤ 44.3333"),
        ("age", "44.3333 to 58.6667"),
        ("age", "> 58.6667"),
    }
    assert groups["site", "Basel"].cases == 40
    assert groups["site", "Basel"].metrics
    assert groups["site", "Bern"].cases == 4  # four more have no diagnosis
    assert not groups["site", "Bern"].metrics  # nothing is judged by so few
    with pytest.raises(rdfc.DataError, match="no column 'scanner'"):
        rdfc.validate(finished, listing, tmp_path / "w", by=["scanner"], executor="local:workers=0")


def test_cases_of_another_kind_are_seen(rdfc_here, finished, elsewhere, tmp_path):
    lists = {name: elsewhere / name / "manifest.csv" for name in ("like", "bright")}
    found = rdfc.validate(finished, lists, tmp_path / "v", executor="local:workers=0")
    like, bright = (cohort.drift for cohort in found.cohorts)
    assert bright.large > like.large
    assert bright.furthest[0].name.startswith(("radiomics.", "greys."))
    assert bright.told_apart.estimate > max(0.8, like.told_apart.estimate)
    page = (tmp_path / "v" / "validation.html").read_text(encoding="utf-8")
    for words in ("Decision curve", "Calibration", "bright", "like", "standard deviation"):
        assert words in page


def test_cases_that_were_learnt_from_are_refused(rdfc_here, finished, pictures, tmp_path):
    out = ("--out", tmp_path / "v", *HERE)
    done = rdfc_here("validate", finished, "--manifest", f"own={pictures / 'manifest.csv'}", *out)
    assert done.code == 2
    assert "own: the run has learnt from" in done.err
    assert "Leave them out" in done.err
    assert not (tmp_path / "v").exists()


def test_what_cannot_be_validated_is_refused(rdfc_here, finished, elsewhere, tmp_path):
    listing = elsewhere / "like" / "manifest.csv"
    given = ("validate", finished, "--manifest", listing)
    rdfc_here(*given, "--manifest", listing, *HERE).refused("two lists called 'manifest'")
    assert "is the folder of a run" in rdfc_here(*given, "--out", finished, *HERE).err
    with listing.open() as file:
        rows = list(csv.DictReader(file))
    bare = tmp_path / "bare.csv"
    with bare.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["case_id", "image", "mask"], extrasaction="ignore")
        writer.writeheader()
        folder = listing.parent
        writer.writerows(row | {"image": str(folder / row["image"])} for row in rows)
    done = rdfc_here("validate", finished, "--manifest", bare, "--out", tmp_path / "v", *HERE)
    assert done.code == 2
    assert "Add a column label, or use rdfc predict" in done.err
