"""``rdfc suggest``: the cases to label next, with and without labels to go by."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import rdfc_core as rdfc
from rdfc_core.api.context import opened
from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import resolve
from rdfc_core.pipeline import run as pipeline
from rdfc_core.plugin.registry import installed
from tests.support import small_parts
from tests.support.command import HERE
from tests.support.small_study import QUICK, SMALL_STUDY


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def unnamed(once) -> Path:
    """A run whose cases have no label at all."""

    def run(place: Path) -> None:
        pictures = small_parts.write_pictures(place / "pictures", 18, unlabelled=18, seed=3)
        study = load_study({**SMALL_STUDY, "dataset": f"manifest:root={pictures}"}, list(QUICK))
        with opened(place / "store.sqlite", "local:workers=0") as context:
            pipeline.run(resolve(study, installed()), place / "run", context, until="pretrain")

    return once("unnamed", run) / "run"


def test_the_cases_of_a_run_that_have_no_label_are_ranked(rdfc_here, finished, pictures, tmp_path):
    done = rdfc_here("suggest", finished, "--budget", 3, "--out", tmp_path / "next", *HERE)
    assert done.code == 0, done.err
    rows = table(tmp_path / "next" / "suggestions.csv")
    free = {row["case_id"] for row in table(pictures / "manifest.csv") if not row["label"]}
    assert {row["case_id"] for row in rows} < free
    assert list(dict.fromkeys(row["rank"] for row in rows)) == ["1", "2", "3"]
    assert all(row["reason"] and row["label"] == "" for row in rows)
    page = (tmp_path / "next" / "suggestions.html").read_text("utf-8")
    assert page.count("data:image/png") == len(rows)
    for row in rows:
        assert row["case_id"] in page
        assert row["case_id"] in done.out
    assert "patients of 5 without a label" in done.out  # two of the six cases share a patient


def test_a_patient_has_one_rank_and_all_its_cases(rdfc_here, finished, tmp_path):
    done = rdfc_here("suggest", finished, "--budget", 5, "--out", tmp_path / "a.csv", *HERE)
    assert done.code == 0, done.err
    ranks: dict[str, set[str]] = {}
    rows = table(tmp_path / "a.csv")
    for row in rows:
        ranks.setdefault(row["patient_id"], set()).add(row["rank"])
    assert len(rows) == 6
    assert sorted(min(found) for found in ranks.values()) == ["1", "2", "3", "4", "5"]
    assert all(len(found) == 1 for found in ranks.values())
    done = rdfc_here(
        *("suggest", finished, "--budget", 6, "--unit", "case", "--strategy", "margin"),
        *("--out", tmp_path / "b.csv", "--json", *HERE),
    )
    assert [row["rank"] for row in json.loads(done.out)] == [1, 2, 3, 4, 5, 6]


def test_without_any_label_there_are_suggestions_too(rdfc_here, unnamed, tmp_path):
    done = rdfc_here("suggest", unnamed, "--budget", 4, "--out", tmp_path / "next", *HERE)
    assert done.code == 0, done.err
    assert "with no label to go by" in done.out.replace("\n", " ")
    rows = table(tmp_path / "next" / "suggestions.csv")
    assert len({row["patient_id"] for row in rows}) == 4
    rdfc_here(
        *("suggest", unnamed, "--budget", 4, "--strategy", "badge", "--out", "x", *HERE)
    ).refused("takes labelled cases of two classes", "typiclust")


def test_of_a_list_those_without_a_label_are_candidates(rdfc_here, finished, pictures, tmp_path):
    folder = small_parts.write_pictures(tmp_path / "new", 12, unlabelled=8, seed=9)
    rows = table(folder / "manifest.csv")
    known = table(pictures / "manifest.csv")[0]  # labelled in the run: a test or a training case
    again = {**known, "case_id": "again", "label": "", "patient_id": "again"}
    again |= {part: str(pictures / known[part]) for part in ("image", "mask")}
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([*rows, again])
    done = rdfc_here(
        *("suggest", finished, "--manifest", folder / "manifest.csv", "--budget", 50),
        *("--unit", "case", "--out", tmp_path / "next.csv", *HERE),
    )
    assert done.code == 0, done.err
    found = {row["case_id"] for row in table(tmp_path / "next.csv")}
    assert found == {row["case_id"] for row in rows if not row["label"]}
    said = " ".join(done.err.split())
    assert "1 of these cases have a label in the run (again)" in said
    assert "--budget 50: there are 8 cases without a label, and all of them are listed" in said


def test_python_says_the_same(rdfc_here, finished, tmp_path):
    rdfc_here(
        *("suggest", finished, "--budget", 2, "--strategy", "typiclust:neighbours=2"),
        *("--out", tmp_path / "a.csv", *HERE),
    )
    found = rdfc.suggest(finished, 2, strategy="typiclust:neighbours=2", executor="local:workers=0")
    said = [(str(row["rank"]), row["case_id"], row["reason"]) for row in found.rows()]
    written = table(tmp_path / "a.csv")
    assert said == [(row["rank"], row["case_id"], row["reason"]) for row in written]


def test_what_cannot_be_done_is_refused(rdfc_here, finished, pictures, tmp_path):
    def refused(*arguments, told):
        rdfc_here("suggest", finished, "--budget", 2, *arguments, *HERE).refused(*told)

    refused("--strategy", "typicluster", told=["Did you mean 'typiclust'"])
    refused("--strategy", "typiclust:neighbour=3", told=["neighbour"])
    refused("--unit", "lesion", told=["--unit lesion: it is case or patient"])
    refused("--out", finished, told=["in the folder of a run"])
    (tmp_path / "taken.html").touch()
    refused("--out", tmp_path / "taken.csv", told=["taken.html exists", "--overwrite"])
    whole = tmp_path / "whole.csv"
    rows = [row for row in table(pictures / "manifest.csv") if row["label"]]
    with whole.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            paths = {part: str(pictures / row[part]) for part in ("image", "mask")}
            writer.writerow({**row, **paths, "case_id": f"new-{row['case_id']}"})
    done = rdfc_here("suggest", finished, "--budget", 2, "--manifest", whole, *HERE)
    assert done.code == 2
    assert "holds no case without a label" in done.err
