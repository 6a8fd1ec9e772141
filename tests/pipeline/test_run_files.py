"""What a run may remove and where it may write: its own files, and through no link."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from rdfc_core import StudyError
from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.report import write_report
from rdfc_core.utils.atomic import append_only, replacing
from tests.support import small_study
from tests.support.small_study import QUICK

EMPTY = {".lock", "study.yaml", "evaluations.jsonl"}
"""An overwritten run, which begins anew but for how often its test part was looked at."""
OTHERS = (
    "model/my-own-net.pt",
    "model/holdout/notes.txt",
    "checkpoints/best.ckpt",
    "checkpoints/epoch-3.safetensors",
    "trials/plan.md",
    "tensorboard/holdout/mine.txt",
    "tensorboard/other/events.out.tfevents.1",
    "partial-thesis.tex",
    "notes.txt",
)


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_with_a_study_written_by_hand_is_no_run(
    pictures, run_context, tmp_path, overwrite
):
    folder = tmp_path / "project"
    for name in ("model/my-own-net.pt", "checkpoints/best.ckpt", "results.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"mine")
    study = small_study.resolved(pictures, *QUICK)
    (folder / "study.yaml").write_text(yaml.safe_dump(study.dump()), encoding="utf-8")
    before = content(folder)
    with pytest.raises(StudyError, match="holds files and no run") as caught:
        studies.run(study, folder, run_context, overwrite)
    assert ("--overwrite leaves it alone" in str(caught.value)) == overwrite
    assert content(folder) == before


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("others", [(), ("metrics.jsonl", "model/holdout/weights.safetensors")])
def test_a_folder_with_a_copy_of_a_study_of_a_run_is_no_run(
    run, pictures, run_context, tmp_path, others, overwrite
):
    folder = tmp_path / "copies"
    folder.mkdir()
    shutil.copy2(run / "study.yaml", folder)
    for name in others:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"mine")
    before = content(folder)
    with pytest.raises(StudyError, match="holds files and no run"):
        studies.run(small_study.resolved(pictures, *QUICK), folder, run_context, overwrite)
    assert content(folder) == before


@pytest.mark.parametrize("gone", [".lock", "cases.csv"])
def test_a_copied_run_is_a_run_whatever_of_its_two_marks_was_left_behind(
    run, pictures, run_context, gone
):
    (run / gone).unlink()
    place = RunFolder(run)
    assert place.began_here()
    study = small_study.resolved(pictures, *QUICK)
    with place.claimed(study, run_context.registry, overwrite=True):
        assert {path.name for path in run.iterdir()} == EMPTY


def test_a_run_is_one_from_its_beginning(run_context, pictures, tmp_path):
    """Its lock proves it, also where the system removes the file with the lock."""
    place, study = RunFolder(tmp_path / "begun"), small_study.resolved(pictures, *QUICK)
    with place.claimed(study, run_context.registry, overwrite=False):
        (place.path / ".lock").unlink()
    assert place.began_here()
    with place.claimed(study, run_context.registry, overwrite=False):
        pass


def test_overwriting_removes_what_the_run_wrote_and_nothing_else(run, pictures, run_context):
    for name in OTHERS:
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_bytes(b"mine")
    write_report(run)
    weights = run / "model" / "holdout" / "weights.safetensors"
    old = weights.read_bytes()
    studies.run(small_study.resolved(pictures, *QUICK, "seed=1"), run, run_context, overwrite=True)
    assert {name: (run / name).read_bytes() for name in OTHERS} == dict.fromkeys(OTHERS, b"mine")
    assert not (run / "report.html").exists()
    assert weights.read_bytes() != old


def test_every_file_of_a_run_is_known_as_its_own(finished_tables, tmp_path, registry):
    """Overwriting leaves an empty folder, but for how often its test part was looked at."""
    run = Path(shutil.copytree(finished_tables, tmp_path / "run"))
    write_report(run)
    study = small_study.resolved(run, *QUICK)
    place = RunFolder(run)
    with place.claimed(study, registry, overwrite=True):
        assert {path.name for path in run.iterdir()} == EMPTY


def test_what_a_killed_run_left_half_written_goes(run, pictures, run_context):
    token = "0123456789abcdef"
    left = [
        f"partial-{token}-results.json",
        f"checkpoints/partial-{token}-holdout.safetensors",
        f"model/partial-{token}-holdout/weights.safetensors",
        f"trials/holdout/partial-{token}-radiomics.json",
    ]
    for name in left:
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_bytes(b"half")
    (run / "partial-mine.txt").write_bytes(b"mine")
    studies.run(small_study.resolved(pictures, *QUICK), run, run_context)
    assert not [name for name in left if (run / name).exists()]
    assert not (run / "model" / f"partial-{token}-holdout").exists()
    assert (run / "partial-mine.txt").exists()


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "checkpoints",
        "tensorboard",
        "model",
        "model/holdout",
        "trials",
        "metrics.jsonl",
        "report.html",
        ".lock",
        "checkpoints/holdout.safetensors",
        "model/partial-holdout",
        "partial-report.html",
    ],
)
def test_planted_links_are_refused_and_what_they_point_to_stays(
    run, pictures, run_context, tmp_path, name, overwrite
):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"precious")
    planted = run / name
    if planted.is_dir():
        shutil.rmtree(planted)
    planted.unlink(missing_ok=True)
    planted.parent.mkdir(exist_ok=True)
    target = outside if "." not in name and not name.endswith("html") else outside / "file"
    planted.symlink_to(target, target_is_directory=target.is_dir())
    with pytest.raises(StudyError, match="is a link, and a run writes through no link"):
        studies.run(
            small_study.resolved(pictures, *QUICK, "seed=2"), run, run_context, overwrite=overwrite
        )
    assert content(outside) == {"file": b"precious"}


def test_a_hard_link_in_place_of_the_lock_is_refused(run, pictures, run_context, tmp_path):
    (tmp_path / "file").write_bytes(b"precious")
    (run / ".lock").unlink(missing_ok=True)
    os.link(tmp_path / "file", run / ".lock")
    with pytest.raises(StudyError, match=r"\.lock is a link"):
        studies.run(small_study.resolved(pictures, *QUICK), run, run_context)
    assert (tmp_path / "file").read_bytes() == b"precious"


@pytest.mark.parametrize(
    "name", ["metrics.jsonl", "report.html", "cases.csv", "trials/x.json", "checkpoints"]
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_pipe_is_refused_before_it_is_waited_for(run, pictures, run_context, name, overwrite):
    planted = run / name
    if planted.is_dir():
        shutil.rmtree(planted)
    planted.unlink(missing_ok=True)
    planted.parent.mkdir(exist_ok=True)
    os.mkfifo(planted)
    study = small_study.resolved(pictures, *QUICK, "pretrain.epochs=4")
    with pytest.raises(StudyError, match="is neither a file nor a folder"):
        studies.run(study, run, run_context, overwrite=overwrite)


@pytest.mark.parametrize("name", ["report.html", "metrics.jsonl", "checkpoints", "model", ".lock"])
def test_what_a_run_cannot_write_as_it_does_is_refused_before_it_begins(
    run, pictures, run_context, name
):
    planted = run / name
    if planted.is_dir():
        shutil.rmtree(planted)
        planted.write_bytes(b"mine")
    else:
        planted.unlink(missing_ok=True)
        planted.mkdir()
    kind = "folder" if planted.is_dir() else "file"
    with pytest.raises(StudyError, match=f"is a {kind}, and a run keeps a .* under that name"):
        studies.run(small_study.resolved(pictures, *QUICK, "seed=2"), run, run_context)
    assert planted.exists()


def test_the_report_follows_no_link(run, tmp_path):
    (tmp_path / "file").write_bytes(b"precious")
    (run / "partial-report.html").symlink_to(tmp_path / "file")
    (run / "report.html").symlink_to(tmp_path / "file")
    write_report(run)
    assert (tmp_path / "file").read_bytes() == b"precious"
    assert not (run / "report.html").is_symlink()


def test_a_file_is_written_under_a_name_that_nobody_knows(tmp_path):
    names = set()
    for _ in range(3):
        with replacing(tmp_path / "x.json") as partial:
            names.add(partial.name)
            assert partial.is_file()
    assert len(names) == 3
    (tmp_path / "link").symlink_to(tmp_path / "x.json")
    with pytest.raises(OSError, match="link"), open(tmp_path / "link", "a", opener=append_only):
        pass
