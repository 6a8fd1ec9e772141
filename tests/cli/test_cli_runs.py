"""``rdfc runs``: what a finished run keeps for being extended, and how it goes."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
import yaml

from rdfc_core import DataError, StudyError
from rdfc_core.pipeline import kept_files
from rdfc_core.results.schema import Results
from rdfc_core.utils.sizes import in_words, size_of
from tests.support.command import HERE


@pytest.fixture
def copy(finished, tmp_path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "runs" / "copy"))


def test_a_cleaned_run_answers_as_before_and_is_not_extended(
    rdfc_here, copy, pictures, tmp_path, monkeypatch
):
    listing = ("predict", copy, "--manifest", pictures / "manifest.csv", *HERE)
    before = rdfc_here(*listing)
    size = size_of(copy)
    asked = rdfc_here("runs", "clean", copy, "--yes")
    assert asked.code == 0, asked.err
    assert f"{copy}: 1 file of " in asked.out
    freed = size - size_of(copy)
    assert f"Freed {in_words(freed)}. These runs can then no longer be extended" in asked.out
    assert freed > 0.05 * size
    assert list(csv.reader(rdfc_here(*listing).out.splitlines())) == list(
        csv.reader(before.out.splitlines())
    )
    assert rdfc_here("report", copy).code == 0
    assert rdfc_here("embed", copy, "--manifest", pictures / "manifest.csv",
                     "--out", tmp_path / "e.parquet", *HERE).code == 0  # fmt: skip
    again = rdfc_here("run", copy / "study.yaml", "--out", copy, *HERE)
    assert (again.code, "finished already" in again.err) == (0, True)
    results = (copy / "results.json").read_bytes()
    larger = rdfc_here(
        *("run", copy / "study.yaml", "--out", copy, "--set", "pretrain.epochs=9", *HERE)
    )
    assert larger.code == 2
    assert "was cleaned (rdfc runs clean)" in larger.err
    assert "so that the run cannot be extended" in larger.err
    assert (copy / "results.json").read_bytes() == results
    assert rdfc_here("runs", "clean", copy).out.endswith("There is nothing to remove.\n")


def test_nothing_goes_before_somebody_says_so(rdfc_here, copy, monkeypatch):
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    size = size_of(copy)
    done = rdfc_here("runs", "clean", copy)
    assert (done.code, size_of(copy)) == (1, size)
    assert "Nothing was removed." in done.out


def test_of_an_unfinished_run_nothing_is_removed(copy):
    (copy / "results.json").unlink()
    with pytest.raises(StudyError, match="holds no finished run"):
        kept_files.remove(copy)
    (copy / "results.json").write_text("{")
    with pytest.raises(DataError):
        kept_files.remove(copy)
    assert any((copy / "checkpoints").iterdir())


def test_what_no_run_wrote_stays(copy):
    own = copy / "checkpoints" / "my-own.safetensors"
    own.write_bytes(b"mine")
    kept_files.remove(copy)
    assert [path.name for path in (copy / "checkpoints").iterdir()] == ["my-own.safetensors"]


def test_runs_are_listed_with_their_size_and_what_they_reached(rdfc_here, copy):
    unfinished = copy.parent / "below" / "unfinished"
    shutil.copytree(copy, unfinished)
    (unfinished / "results.json").unlink()
    found = json.loads(rdfc_here("runs", "list", copy.parent, "--json").out)
    assert [(one["name"], one["state"]) for one in found] == [
        ("below/unfinished", "unfinished"),
        ("copy", "finished"),
    ]
    assert found[1]["size"] == size_of(copy)
    headline = Results.read(copy / "results.json").headline
    row = next(
        one for one in Results.read(copy / "results.json").rows
        if one.metric == headline.metric and headline.main.is_of(one)
    )  # fmt: skip
    assert f"{row.mean:.3f}" in found[1]["headline"]
    kept_files.remove(copy)
    shown = rdfc_here("runs", "list", copy.parent).out
    assert "finished, cannot be extended" in shown


def test_a_finished_run_keeps_one_state_and_says_how_large_it_is(finished):
    names = {path.name for path in (finished / "checkpoints").iterdir()}
    assert names == {"holdout.safetensors"}  # of a constant schedule
    results = json.loads((finished / "results.json").read_text())
    report = finished / "report.html"
    written_later = (finished / "results.json").stat().st_size + (
        report.stat().st_size if report.exists() else 0
    )
    assert results["run"]["bytes"] == pytest.approx(size_of(finished) - written_later, abs=4096)
    assert yaml.safe_load((finished / "study.yaml").read_text())["seed"] == 0


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1 kB"), (12_345, "12.3 kB"),
     (999_600, "1 MB"), (123_400_000, "123 MB"), (5_250_000_000, "5.25 GB")],
)  # fmt: skip
def test_sizes_have_three_digits(size, words):
    assert in_words(size) == words
