"""Names that a command cannot use: one sentence and exit code 2, whatever the system says."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

UNDECODABLE = os.fsdecode(b"m\xfcller")

COMMANDS = {
    "study": ["run", "{path}.yaml"],
    "out": ["extract", "{study}", "--out", "{path}"],
    "store": ["extract", "{study}", "--out", "new", "--store", "{path}"],
    "run": ["report", "{path}"],
    "model": ["predict", "{path}", "--manifest", "{list}"],
    "list": ["predict", "{run}", "--manifest", "{path}"],
    "image": ["predict", "{run}", "--image", "{path}.png", "--mask", "{mask}"],
    "embeddings": ["embed", "{run}", "--manifest", "{list}", "--out", "{path}.csv"],
    "predictions": ["predict", "{run}", "--manifest", "{list}", "--out", "{path}.parquet"],
    "root": ["datasets", "check", "manifest", "--root", "{path}"],
    "merge": ["store", "merge", "{path}"],
}


@pytest.fixture
def places(study_file: Path, finished: Path, pictures: Path) -> dict[str, Path]:
    mask = pictures / "masks" / "case-000.png"
    return {"study": study_file, "run": finished, "list": pictures, "mask": mask}


def filled(arguments: list[str], path: object, places: dict[str, Path]) -> list[str]:
    return [argument.format(path=path, **places) for argument in arguments]


def loop(name: str, command: str) -> str:
    """Two links that lead to each other, named as the command will call them."""
    ending = "".join(
        Path(argument).suffix for argument in COMMANDS[command] if "{path}" in argument
    )
    Path(name + ending).symlink_to("there")
    Path("there").symlink_to(name + ending)
    return name


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", ["too long", "loop", "not UTF-8"])
def test_a_name_that_cannot_be_used_is_refused_in_one_sentence(rdfc_here, places, command, kind):
    if kind == "loop":
        name = loop("loop", command)
    else:
        name = {"too long": "x" * 300, "not UTF-8": UNDECODABLE}[kind]
    done = rdfc_here(*filled(COMMANDS[command], name, places))
    lines = [
        line for line in done.err.splitlines() if not line.startswith(("Extracting", "1 case"))
    ]
    assert done.code == 2, done.err
    assert len(lines + done.out.splitlines()) >= 1
    assert "Traceback" not in done.err
    assert "fault of rdfc" not in done.err
    if kind == "not UTF-8":
        assert lines[0].startswith("m\\xfcller")
        assert "no UTF-8" in lines[0]


@pytest.mark.parametrize(
    ("arguments", "made"),
    [
        (["predict", "{run}", "--manifest", "{list}", "--out", "{path}.csv"], "there.csv"),
        (["embed", "{run}", "--manifest", "{list}", "--out", "{path}.parquet"], "there.parquet"),
        (["run", "{path}.yaml"], "there.yaml"),
        (["predict", "{run}", "--manifest", "{path}.csv"], "there.csv"),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_in_place_of_a_file_is_refused_and_kept(
    rdfc_here, places, arguments, made, overwrite
):
    Path(made).mkdir()
    more = ["--overwrite"] if overwrite and "--out" in arguments else []
    done = rdfc_here(*filled(arguments, "there", places), *more)
    assert done.code == 2, done.err
    assert "there" in done.err
    assert "fault of rdfc" not in done.err
    assert Path(made).is_dir()


def test_a_data_set_in_a_folder_without_a_text_for_a_name_is_refused_by_each_command(
    rdfc_here, study_file, finished, pictures, tmp_path
):
    """The folder's name stands in no argument: it is the one that the command is given in."""
    own = tmp_path / "own" / UNDECODABLE
    shutil.copytree(pictures, own)
    os.chdir(own)
    root = ["--set", "dataset=manifest:root=."]
    for arguments in (
        ["datasets", "check", "manifest", "--root", "."],
        ["run", study_file, *root, "--out", tmp_path / "out"],
        ["extract", study_file, *root, "--out", tmp_path / "out"],
        ["pretrain", study_file, *root, "--out", tmp_path / "out"],
        ["predict", finished, "--manifest", own / "manifest.csv"],
    ):
        done = rdfc_here(*arguments)
        assert done.code == 2, done.err
        assert "holds bytes that are no UTF-8" in done.err
        assert "m\\xfcller" in done.err
        assert "Traceback" not in done.err
    assert not (tmp_path / "out").exists()
    assert (
        rdfc_here("predict", finished, "--manifest", "manifest.csv").code == 0
    )  # names without it


def test_a_run_in_a_folder_without_a_text_for_a_name_is_refused_before_it_begins(
    rdfc_here, study_file, tmp_path
):
    own = tmp_path / UNDECODABLE
    own.mkdir()
    os.chdir(own)
    done = rdfc_here("run", study_file, "--out", "out")
    assert done.code == 2
    assert "m\\xfcller/out holds bytes that are no UTF-8" in done.err
    assert not (own / "out").exists()
