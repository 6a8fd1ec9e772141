"""One notion of the same run: the shortcut of a finished run and resuming look at the same."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image, ImageOps

from rdfc_core import StudyError
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.finished import finished_run
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.results.schema import Results
from rdfc_core.utils.progress import Progress
from tests.support import small_study
from tests.support.small_study import QUICK, lasting

SPLIT = ("dataset.split_column=split",)


@pytest.fixture(scope="module")
def listed(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures, each case of its own patient, with a split column: every fourth one tests."""
    folder = Path(shutil.copytree(pictures, tmp_path_factory.mktemp("listed") / "data"))

    def with_split(rows: list[dict[str, str]]) -> None:
        for place, row in enumerate(rows):
            row["patient_id"] = row["case_id"]
            row["split"] = "test" if place % 4 < 2 and row["label"] else "train"

    rewrite(folder, with_split)
    return folder


@pytest.fixture(scope="module")
def done(listed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on them."""
    folder = tmp_path_factory.mktemp("done")
    small_study.run_study(listed, folder / "run", folder / "store.sqlite", (*QUICK, *SPLIT))
    return folder / "run"


def rewrite(folder: Path, change: Callable[[list[dict[str, str]]], None]) -> None:
    path = folder / "manifest.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    change(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def other_split(rows: list[dict[str, str]]) -> None:
    rows[0]["split"], rows[2]["split"] = rows[2]["split"], rows[0]["split"]


def other_label(rows: list[dict[str, str]]) -> None:
    rows[4]["label"] = "malignant"


def other_patient(rows: list[dict[str, str]]) -> None:
    rows[4]["patient_id"] = "somebody"


def other_order(rows: list[dict[str, str]]) -> None:
    rows[5], rows[6] = rows[6], rows[5]


def one_less(rows: list[dict[str, str]]) -> None:
    del rows[7]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_split, r"part in the split column of case case-000 and 1 more"),
        (other_label, r"the label of case case-004"),
        (other_patient, r"the patient of case case-004"),
        (other_order, r"another order, from case case-005 on"),
        (one_less, r"case case-007 is gone"),
    ],
)
def test_a_changed_list_is_no_finished_run_and_is_refused_by_what_changed(
    listed, done, run_context, registry, tmp_path, change, words
):
    folder = Path(shutil.copytree(listed, tmp_path / "own"))
    run = Path(shutil.copytree(done, tmp_path / "run"))
    study = small_study.resolved(folder, *QUICK, *SPLIT)
    assert finished_run(study, run, registry, Progress(), "evaluate") is not None
    rewrite(folder, change)
    assert finished_run(study, run, registry, Progress(), "evaluate") is None
    with pytest.raises(StudyError, match=f"The cases have changed .*{words}"):
        studies.run(study, run, run_context)


def test_a_changed_image_is_named(listed, done, run_context, registry, tmp_path):
    folder = Path(shutil.copytree(listed, tmp_path / "own"))
    run = Path(shutil.copytree(done, tmp_path / "run"))
    study = small_study.resolved(folder, *QUICK, *SPLIT)
    image = folder / "images" / "case-003.png"
    ImageOps.invert(Image.open(image)).save(image)
    assert finished_run(study, run, registry, Progress(), "evaluate") is None
    with pytest.raises(StudyError, match="image, mask, or what the mask means of case case-003"):
        studies.run(study, run, run_context)


def test_data_that_moved_is_the_same_run(listed, done, run_context, registry, tmp_path):
    moved = Path(shutil.copytree(listed, tmp_path / "elsewhere"))
    run = Path(shutil.copytree(done, tmp_path / "run"))
    study = small_study.resolved(moved, *QUICK, *SPLIT)
    assert finished_run(study, run, registry, Progress(), "evaluate") is not None
    (run / "results.json").unlink()
    run_context.progress = small_study.Counted()
    studies.run(study, run, run_context)
    assert run_context.progress.totals["Pretraining"] == (3, 3)  # resumed, and none was left
    assert lasting(run) == lasting(done)
    assert RunFolder(run).read_study()["dataset"]["root"] == str(moved)


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("dataset.classes=[malignant,benign]", "dataset.classes"),
        ("dataset.mask_value=255", "dataset.mask_value"),
        ("split.pretext=train", "split.pretext"),
        ("seed=4", "seed"),
    ],
)
def test_another_study_is_told_by_its_key(
    listed, done, run_context, registry, tmp_path, override, key
):
    run = Path(shutil.copytree(done, tmp_path / "run"))
    study = small_study.resolved(listed, *QUICK, *SPLIT, override)
    assert finished_run(study, run, registry, Progress(), "evaluate") is None
    with pytest.raises(StudyError, match=rf"another study \(different: .*{key}"):
        studies.run(study, run, run_context)


@pytest.mark.parametrize(
    ("inputs", "key"),
    [
        ({"recipes": {"radiomics": "older"}}, "recipes.radiomics"),
        ({"files": {"views.image.encoder.weights": "0"}}, "files.views.image.encoder.weights"),
        ({"protocol": {"kind": "folds"}}, "protocol.kind"),
    ],
)
def test_what_the_study_does_not_hold_itself_counts_too(
    listed, done, run_context, tmp_path, inputs, key
):
    run = Path(shutil.copytree(done, tmp_path / "run"))
    there = yaml.safe_load((run / "study.yaml").read_text(encoding="utf-8"))
    for name, one in inputs.items():
        there["inputs"][name] |= one
    (run / "study.yaml").write_text(yaml.safe_dump(there), encoding="utf-8")
    with pytest.raises(StudyError, match=rf"another study \(different: {key}"):
        studies.run(small_study.resolved(listed, *QUICK, *SPLIT), run, run_context)


def test_another_version_of_a_plugin_asks_the_recipes(
    listed, done, run_context, registry, tmp_path
):
    run = Path(shutil.copytree(done, tmp_path / "run"))
    there = yaml.safe_load((run / "study.yaml").read_text(encoding="utf-8"))
    there["versions"]["rdfc-small-parts"] = "0.0.9"
    (run / "study.yaml").write_text(yaml.safe_dump(there), encoding="utf-8")
    study = small_study.resolved(listed, *QUICK, *SPLIT)
    assert finished_run(study, run, registry, Progress(), "evaluate") is None
    assert studies.run(study, run, run_context) == Results.read(done / "results.json")


def test_a_study_that_was_given_up_before_training_does_not_block_its_folder(
    listed, run_context, tmp_path
):
    run = tmp_path / "run"
    small = small_study.resolved(listed, *QUICK, *SPLIT, "seed=9")
    with RunFolder(run).claimed(small, run_context.registry, overwrite=False):
        pass  # as if killed while features were extracted
    assert RunFolder(run).read_study()["seed"] == 9
    study = small_study.resolved(listed, *QUICK, *SPLIT)
    studies.run(study, run, run_context, until="extract")
    assert RunFolder(run).read_study()["seed"] == 0


@pytest.mark.parametrize("there", [True, False])
def test_a_refused_study_leaves_no_run_folder(listed, run_context, tmp_path, there):
    run = tmp_path / "run"
    if there:
        run.mkdir()
    study = small_study.resolved(listed, *QUICK, "split.kind=column", "split.column=nothing")
    with pytest.raises(StudyError, match=r"split\.column"):
        studies.run(study, run, run_context)
    assert run.exists() == there
    assert not there or {path.name for path in run.iterdir()} <= {".lock"}


def test_every_file_is_read_once_for_its_fingerprint(pictures, registry, tmp_path, monkeypatch):
    """A command asks whether the run is finished, and then runs: the second time it knows."""
    from rdfc_core.case import Case
    from rdfc_core.cli import run as command

    taken: list[str] = []
    before = Case.fingerprint

    def counted(case: Case, *files: Any) -> str:
        taken.append(case.case_id)
        return before(case, *files)

    study = {**small_study.SMALL_STUDY, "dataset": f"manifest:root={pictures}"}
    arguments = (study, [*QUICK], tmp_path / "run", False, tmp_path / "s.sqlite")
    executor = "local:workers=0"
    command.execute(*arguments, executor, True, "extract")
    monkeypatch.setattr(Case, "fingerprint", counted)
    command.execute(*arguments, executor, True, "pretrain")
    assert len(taken) == len(set(taken)) == 36
