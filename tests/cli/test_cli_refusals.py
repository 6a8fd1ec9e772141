"""What the command line refuses: one sentence on stderr and exit code 2, and no traceback."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from PIL import Image

from tests.support.command import HERE, Done

REFUSED = {
    "missing study": (["run", "nowhere.yaml"], ["nowhere.yaml cannot be read", "No such file"]),
    "no study at all": (["run"], ["Name a study file, or at least --dataset"]),
    "study and parts": (["run", "{study}", "--encoder", "timm"], ["both describe the study"]),
    "unknown plugin": (
        ["run", "{study}", "--set", "encoder=small-cmn"],
        ["no image encoder 'small-cmn'", "Did you mean 'small-cnn'?", "Installed: "],
    ),
    "misspelt key": (
        ["run", "{study}", "--set", "views.image.encoder.widht=3"],
        ["views.image.encoder.widht: there is no such option. Did you mean 'width'?"],
    ),
    "misspelt shorthand": (
        ["run", "{study}", "--set", "encoder=small-cnn:widht=3"],
        ["views.image.encoder.widht: there is no such option."],
    ),
    "malformed override": (["run", "{study}", "--set", "seed"], ["--set seed: write KEY=VALUE"]),
    "unknown executor": (
        ["run", "{study}", "--executor", "locale"],
        ["no executor 'locale'", "Did you mean 'local'?"],
    ),
    "bad executor option": (
        ["run", "{study}", "--executor", "local:workers=-1"],
        ["--executor.workers: input should be greater than or equal to 0"],
    ),
    "a run folder below a file": (
        ["extract", "{study}", "--out", "{study}/run"],
        ["Not a directory", "Check the path and its permissions."],
    ),
    "a run folder that is a file": (
        ["extract", "{study}", "--out", "{study}"],
        ["Not a directory", "Check the path and its permissions."],
    ),
    "a part that is none": (
        ["extract", "{study}", "--shard", "4/3"],
        ["--shard 4/3: write I/N, such as 2/8"],
    ),
    "a part with a run folder": (
        ["extract", "{study}", "--shard", "1/3", "--out", "run"],
        ["writes no run folder: leave out --out"],
    ),
    "store that is a folder": (["run", "{study}", "--store", "/"], ["The store / cannot be used"]),
    "no run to predict": (
        ["predict", "nowhere", "--image", "a.png", "--mask", "b.png"],
        ["nowhere is no run folder"],
    ),
    "image without mask": (
        ["predict", "{run}", "--image", "a.png"],
        ["--image and --mask, or many with --manifest"],
    ),
    "manifest that is missing": (
        ["predict", "{run}", "--manifest", "nowhere.csv"],
        ["nowhere.csv"],
    ),
    "missing image": (
        ["predict", "{run}", "--image", "nowhere.png", "--mask", "{mask}"],
        ["nowhere.png does not exist. Correct the path"],
    ),
    "no reader": (
        ["predict", "{run}", "--image", "{study}", "--mask", "{mask}"],
        ["no installed reader is meant for small.yaml"],
    ),
    "no component of that name": (["plugins", "show", "tim"], ["There is no component 'tim'"]),
    "no kind of that name": (["plugins", "new", "encoder", "x"], ["There is no kind 'encoder'"]),
    "no such data set": (["datasets", "check", "manifst"], ["Did you mean 'manifest'?"]),
    "a word too many": (
        ["run", "{study}", "runs/mine"],
        ["rdfc run did not expect 'runs/mine'.", "--out runs/mine", "rdfc run --help"],
    ),
    "a folder of data as a word": (
        ["datasets", "check", "manifest", "my/data"],
        ["rdfc datasets check did not expect 'my/data'.", "--root my/data"],
    ),
    "an option of the study as a word": (
        ["pretrain", "{study}", "seed=3"],
        ["rdfc pretrain did not expect 'seed=3'.", "--set seed=3"],
    ),
    "a word too many of a group": (
        ["plugins", "show", "timm", "infonce"],
        ["rdfc plugins show did not expect 'infonce'. All it takes is told by"],
    ),
    "a component that is nearly there": (
        ["plugins", "show", "infonec"],
        ["There is no component 'infonec'. Did you mean 'infonce'? Installed: "],
    ),
    "report of nothing": (["report", "nowhere"], ["nowhere"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_refused_in_one_sentence(
    rdfc_here, study_file, finished, pictures, case
):
    arguments, expected = REFUSED[case]
    places = {"study": study_file, "run": finished, "mask": pictures / "masks" / "case-000.png"}
    done = rdfc_here(*(argument.format(**places) for argument in arguments))
    # Of cases, lines before say how far it came and how many failed.
    done.err = done.err.removeprefix("Extracting features: 0/0\n").removeprefix("1 case failed:\n")
    done.refused(*expected)


def test_usage_errors_of_the_command_line_exit_with_2(rdfc_here):
    for arguments in (["rum"], ["run", "--sed", "3"], ["run", "--seed", "x"], ["predict"]):
        done = rdfc_here(*arguments)
        assert done.code == 2
        assert "Usage: rdfc" in done.err
        assert "Error: " in done.err.splitlines()[-1]


@pytest.fixture
def own(pictures: Path, tmp_path: Path) -> Path:
    """A copy of the pictures that a test may damage."""
    return Path(shutil.copytree(pictures, tmp_path / "own"))


def damage_mask_missing(folder: Path) -> str:
    (folder / "masks/case-003.png").unlink()
    return "case-003.png does not exist"


def damage_mask_empty(folder: Path) -> str:
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(folder / "masks/case-003.png")
    return "the mask is empty"


def damage_mask_of_another_geometry(folder: Path) -> str:
    Image.fromarray(np.full((30, 40), 255, np.uint8)).save(folder / "masks/case-003.png")
    return "the mask has shape (30, 40) and the image (40, 40)"


def damage_image_unreadable(folder: Path) -> str:
    file = folder / "images/case-003.png"
    file.write_bytes(file.read_bytes()[:200])
    return "case-003.png cannot be read"


def damage_nan_voxels(folder: Path) -> str:
    values = np.full((40, 40), 7, np.float32)
    values[3, 4] = np.nan
    sitk.WriteImage(sitk.GetImageFromArray(values), str(folder / "images/case-003.mha"))
    manifest = folder / "manifest.csv"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace("images/case-003.png", "images/case-003.mha"), "utf-8")
    return "the image holds 1 NaN or infinite voxels"


@pytest.mark.parametrize(
    "damage",
    [
        damage_mask_missing,
        damage_mask_empty,
        damage_mask_of_another_geometry,
        damage_image_unreadable,
        damage_nan_voxels,
    ],
)
def test_a_damaged_case_is_named_with_exit_code_2_and_the_others_are_done(
    rdfc_here, own, finished, study_file, tmp_path, damage
):
    expected = damage(own)
    done = rdfc_here(
        *("predict", finished, "--manifest", own, "--out", tmp_path / "said.csv", *HERE)
    )
    assert done.code == 2
    assert "Traceback" not in done.err
    assert [line for line in done.err.splitlines() if "case-003" in line] == [
        line for line in done.err.splitlines() if expected in line
    ]
    assert len([line for line in done.err.splitlines() if expected in line]) == 1
    with (tmp_path / "said.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 35
    alone = rdfc_here("datasets", "check", "manifest", "--root", own)
    assert alone.code == 2
    assert "case-003" in alone.out


def test_a_run_with_a_damaged_case_ends_and_names_it(rdfc_here, own, study_file):
    expected = damage_mask_empty(own)
    done = rdfc_here("run", study_file, "--set", f"dataset.root={own}", "--out", "run", *HERE)
    assert done.code == 2
    assert expected in done.err.splitlines()[-1]
    assert "Traceback" not in done.err
    assert Path("run/results.json").exists()


def test_a_case_id_that_stands_twice_is_refused(rdfc_here, own, study_file):
    manifest = own / "manifest.csv"
    manifest.write_text(manifest.read_text("utf-8").replace("case-004,", "case-003,", 1), "utf-8")
    done = rdfc_here("run", study_file, "--set", f"dataset.root={own}", "--out", "run", *HERE)
    done.refused("lines 5 and 6: both are the case 'case-003'")
    assert not Path("run").exists()


def test_a_faulty_line_keeps_no_other_case_from_being_checked(rdfc_here, own):
    expected = damage_mask_empty(own)
    manifest = own / "manifest.csv"
    text = manifest.read_text("utf-8").replace("case-005,", "case-004,", 1)
    manifest.write_text(text.replace("case-006,", ",", 1), "utf-8")
    done = rdfc_here("datasets", "check", "manifest", "--root", own, "--json")
    assert done.code == 2
    found = json.loads(done.out)
    told = [(p["case_id"], p["message"]) for p in found["problems"]]
    assert [case_id for case_id, _ in told] == ["", "case-003", "case-004"]
    assert "line 8: case_id is empty" in told[0][1]
    assert expected in told[1][1]
    assert "lines 6 and 7: both are the case 'case-004'" in told[2][1]
    assert found["summary"]["cases"] == 35


def test_a_list_that_is_not_there_is_said_to_be_so_and_no_case_counted(rdfc_here, tmp_path):
    done = rdfc_here("datasets", "check", "manifest", "--root", tmp_path / "nowhere")
    assert done.code == 2
    assert "It is the folder that holds manifest.csv" in " ".join(done.out.split())
    assert "0 cases" not in done.out


def test_a_check_refuses_what_the_extractor_of_a_run_would(rdfc_here, own):
    """A picture of floats from 0 to 1, of which a bin width of 16 makes one grey level."""
    grey = np.asarray(Image.open(own / "images/case-003.png"), np.float32) / 255
    Image.fromarray(grey).save(own / "images/case-003.tif")
    manifest = own / "manifest.csv"
    text = manifest.read_text("utf-8").replace("images/case-003.png", "images/case-003.tif")
    manifest.write_text("".join(text.splitlines(keepends=True)[:13]), "utf-8")  # twelve cases
    check = ("datasets", "check", "manifest", "--root", own, "--json")
    for features in ((), ("--features", "pyradiomics")):
        done = rdfc_here(*check, *features)
        assert done.code == 2
        found = json.loads(done.out)
        assert found["summary"]["usable"] == 11
        (problem,) = [p for p in found["problems"] if p["severity"] == "error"]
        assert (problem["case_id"], problem["field"]) == ("case-003", "features")
        assert "binWidth 16 makes 1 bin of them" in problem["message"]
        assert problem["fix"].startswith("Set binWidth to about")
    run = ("extract", "--dataset", f"manifest:root={own}", "--features", "native", "--out", "run")
    ended = rdfc_here(*run, *HERE)
    assert problem["message"] in ended.err  # the same sentence, by the same code
    suited = "native:parameters={setting: {binWidth: 0.05}}"
    wider = [rdfc_here(*check, "--features", one) for one in ("none", suited)]
    assert [json.loads(done.out)["summary"]["usable"] for done in wider] == [12, 12]


def test_one_class_only_is_refused_and_what_is_advised_instead_works(rdfc_here, own):
    manifest = own / "manifest.csv"
    manifest.write_text(manifest.read_text("utf-8").replace("malignant", "benign"), "utf-8")
    composed = ("--dataset", f"manifest:root={own}", "--features", "outline", *HERE)
    composed += ("--encoder", "small-cnn", "--set", "pretrain.epochs=1", "--out", "run")
    done = rdfc_here("run", *composed)
    assert done.code == 2
    last = done.err.splitlines()[-1]
    assert "All 30 labelled cases are 'benign'" in last
    assert last.endswith("or only pretrain: the same command with pretrain in place of run.")
    assert "Traceback" not in done.err
    assert rdfc_here("pretrain", *composed).code == 0


def test_classes_that_are_spelled_alike_are_told_before_the_run_and_in_its_results(
    rdfc_here, own, study_file
):
    manifest = own / "manifest.csv"
    text = manifest.read_text("utf-8")
    for case_id in ("case-001", "case-003", "case-007", "case-009"):
        line = next(line for line in text.splitlines() if line.startswith(case_id))
        text = text.replace(line, line.replace("malignant", "Malignant"))
    manifest.write_text(text, "utf-8")
    done = rdfc_here("run", study_file, "--set", f"dataset.root={own}", "--out", "run", *HERE)
    assert done.code == 0
    doubt = (
        "The classes 'Malignant' (4 cases) and 'malignant' (11 cases) differ only in upper and "
        "lower case, spaces, dashes or zeros"
    )
    said = " ".join(done.err.split())  # a warning is broken where the terminal ends
    assert said.index(doubt) < said.index("Extracting features")
    results = json.loads(Path("run/results.json").read_text("utf-8"))
    assert [one for one in results["warnings"] if doubt[1:] in one]


def test_a_folder_with_another_run_is_left_alone_without_overwrite(rdfc_here, study_file):
    extract = ("extract", study_file, "--out", "run", *HERE)
    assert rdfc_here(*extract).code == 0
    (Path("run") / "notes.txt").touch()
    rdfc_here(*extract, "--seed", 1).refused("(different: seed)", "--overwrite")
    assert rdfc_here(*extract, "--seed", 1, "--overwrite").code == 0
    assert (Path("run") / "notes.txt").exists()


def test_debug_shows_the_traceback_and_keeps_the_exit_code(rdfc_here):
    done = rdfc_here("run", "nowhere.yaml", "--debug")
    assert done.code == 2
    assert "Traceback" in done.err
    assert done.err.splitlines()[-1].startswith("The study nowhere.yaml cannot be read")


def test_a_fault_of_ours_asks_for_a_report_with_exit_code_1(rdfc_here, monkeypatch):
    from rdfc_core import doctor

    monkeypatch.setattr(doctor, "examine", lambda store: 1 / 0)
    done = rdfc_here("doctor")
    assert done.code == 1
    assert done.err.startswith("This is a fault of rdfc: ZeroDivisionError: division by zero.")
    assert "--debug" in done.err
    assert len(done.err.splitlines()) == 1


def test_the_installed_command_refuses_in_one_sentence_too(rdfc, outside, tmp_path):
    done = subprocess.run(
        [rdfc, "run", "nowhere.yaml"],
        env=outside,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    Done(done.returncode, done.stdout, done.stderr).refused("nowhere.yaml cannot be read")
    assert list(tmp_path.iterdir()) == []
