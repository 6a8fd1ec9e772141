"""Images on several scales of grey values are told of: in a data set, and against a run's own."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rdfc_core.data.inspection import sample_scale
from rdfc_core.pipeline import run as studies
from tests.support import small_study
from tests.support.command import HERE
from tests.support.small_study import QUICK

FAST = (*QUICK, "pretrain.epochs=0", "evaluate.controls=[]", "evaluate.classifiers=[logistic]")


@pytest.fixture
def own(pictures: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pictures, tmp_path / "own"))


def listed(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rewrite(folder: Path, count: int, dtype: str, factor: float) -> list[str]:
    """Save the first images with another type and scale; their ids."""
    rows = listed(folder)
    for row in rows[:count]:
        old = folder / row["image"]
        samples = np.array(Image.open(old).convert("L")).astype(float) * factor
        new = old.with_suffix(".tif" if dtype == "float32" else ".png")
        Image.fromarray(samples.astype(dtype)).save(new)
        row["image"] = str(new.relative_to(folder))
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return [row["case_id"] for row in rows[:count]]


@pytest.mark.parametrize(
    ("dtype", "factor", "mixed", "unlike"),
    [
        ("uint16", 1.0, True, False),
        ("uint16", 257.0, True, True),
        ("float32", 1 / 255, True, True),
        ("uint8", 1 / 60, False, True),
        ("uint8", 0.5, False, False),
    ],
)
@pytest.mark.parametrize("until", ["extract", "evaluate"])
def test_images_of_other_bits_or_scale_are_told_of(
    own, run_context, tmp_path, rdfc_here, dtype, factor, mixed, unlike, until
):
    named = rewrite(own, 3, dtype, factor)
    study = small_study.resolved(own, *FAST)
    told = " ".join(studies.run(study, tmp_path / "run", run_context, until=until).warnings)
    args = ("--root", own, "--features", "none", "--json")
    checked = rdfc_here("datasets", "check", "manifest", *args).out
    for text in (told, checked):
        assert ("are mixed, the fewer being" in text) == mixed
        assert ("the grey values of its image go up to" in text) == unlike
    if mixed:
        assert f"8-bit images (33 cases) and others ({dtype}, 3 cases)" in told
        assert ", ".join(named) in told


def test_a_run_of_one_kind_tells_of_cases_of_another(own, run_context, tmp_path, rdfc_here):
    run = tmp_path / "run"
    studies.run(small_study.resolved(own, *FAST), run, run_context)
    plain = rdfc_here("predict", run, "--manifest", own, "--out", "plain.csv", *HERE)
    assert plain.code == 0
    assert "scaled otherwise" not in plain.err
    rewrite(own, 36, "uint16", 257.0)
    for command in ("predict", "embed"):
        done = rdfc_here(command, run, "--manifest", own, "--out", f"{command}.csv", *HERE)
        said = " ".join(done.err.split())
        assert done.code == 0, done.err
        assert "36 cases (case-000, case-001, case-002, …): its image holds uint16" in said
        assert "trained on 8-bit images, which are scaled otherwise" in said
        assert "those of the cases that the run was trained on" in said


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32"])
def test_the_scale_is_that_of_large_values_whatever_surrounds_them(dtype):
    random = np.random.default_rng(0)
    image = random.integers(1, 101, (300, 400, 9)).astype(dtype)
    assert sample_scale(image) == pytest.approx(100, abs=1)
    image[:250] = 0
    assert sample_scale(image) == pytest.approx(100, abs=1)
    assert sample_scale(image * 0) == 0
    if dtype != "uint8":
        assert sample_scale(image * 10) == pytest.approx(1000, abs=10)
