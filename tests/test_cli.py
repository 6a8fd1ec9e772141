"""The command line: its outputs, and one sentence with exit code 2 for what a user can mend."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jobs
import numpy as np
import pyarrow.parquet as pq
import pytest
import SimpleITK as sitk  # noqa: N813
import yaml
from PIL import Image
from rich.console import Console

import rdfc_core
from rdfc_core import cli


@dataclass
class Done:
    """What a command left."""

    code: int
    out: str
    err: str

    def refused(self, *expected: str) -> str:
        """The one sentence of a command that a user must change."""
        assert self.code == 2, self.err
        assert "Traceback" not in self.err
        lines = [line for line in self.err.splitlines() if line.strip()]
        assert len(lines) == 1, self.err
        for words in expected:
            assert words in lines[0], lines[0]
        assert self.out == ""
        return lines[0]


Command = Callable[..., Done]


@pytest.fixture
def rdfc_here(monkeypatch, capsys, tmp_path) -> Command:
    """Runs a command in this process, in an empty folder, with a cache of its own."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["rdfc", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capsys.readouterr()
        return Done(int(caught.value.code or 0), out, err)

    return run


HERE = ("--executor", "local:workers=0")


@pytest.fixture
def study_file(pictures: Path, tmp_path: Path) -> Path:
    study = {**jobs.SMALL_STUDY, "dataset": f"manifest:root={pictures}"}
    study["pretrain"] = {"epochs": 1, "batch_size": 16}
    study["evaluate"] = {"bootstrap": 100}
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    return path


def test_version_help_and_no_arguments(rdfc_here):
    assert rdfc_here("--version") == Done(0, f"rdfc {rdfc_core.__version__}\n", "")
    shown = rdfc_here("--help")
    assert shown.code == 0
    for name in ("run", "extract", "pretrain", "evaluate", "predict", "embed", "plugins", "doctor"):
        assert re.search(rf"\b{name}\b", shown.out)
    nothing = rdfc_here()
    assert nothing.code == 2
    assert "Usage: rdfc" in nothing.out + nothing.err


def test_run_writes_its_folder_tables_on_stdout_and_progress_on_stderr(
    rdfc_here, study_file, tmp_path
):
    done = rdfc_here("run", study_file, *HERE)
    assert done.code == 0, done.err
    run = tmp_path / "here" / "runs" / "small"
    assert (run / "results.json").exists()
    assert (run / "report.html").exists()
    assert "rdfc" in done.out
    assert "random-init" in done.out
    assert "Extracting features: 36/36" in done.err
    assert "Pretraining: 1/1" in done.err
    assert str(run / "report.html") in done.err
    assert (tmp_path / "cache" / "rdfc" / "store.sqlite").exists()
    assert {p.name for p in (tmp_path / "here").iterdir()} == {"runs"}
    again = rdfc_here("run", study_file, *HERE)
    assert again.code == 0
    assert "finished already" in again.err
    assert again.out == done.out


def test_run_prints_results_as_json_and_nothing_else(rdfc_here, study_file, tmp_path):
    done = rdfc_here("run", study_file, "--json", "--out", tmp_path / "run", *HERE)
    assert done.code == 0
    assert json.loads(done.out) == json.loads(
        (tmp_path / "run" / "results.json").read_text("utf-8")
    )


def test_a_study_is_composed_on_the_command_line(rdfc_here, pictures, tmp_path):
    done = rdfc_here(
        *("run", "--dataset", f"manifest:root={pictures}", "--features", "outline"),
        *("--encoder", "small-cnn:width=4", "--objective", "infonce:negatives=16"),
        *("--set", "pretrain.epochs=0", "--set", "views.image.size=[16,16]"),
        *("--set", "evaluate.bootstrap=100", "--seed", 7, "--out", "run", *HERE),
    )
    assert done.code == 0, done.err
    resolved = yaml.safe_load((tmp_path / "here/run/study.yaml").read_text(encoding="utf-8"))
    assert resolved["seed"] == 7
    assert resolved["views"]["image"]["encoder"] == {"name": "small-cnn", "width": 4}
    assert resolved["views"]["image"]["size"] == [16, 16]
    assert resolved["views"]["radiomics"]["extractor"]["name"] == "outline"
    assert resolved["pretext"]["objective"]["negatives"] == 16


def test_the_steps_can_be_run_one_by_one(rdfc_here, study_file, tmp_path):
    for step in ("extract", "pretrain", "evaluate"):
        done = rdfc_here(step, study_file, "--out", "run", *HERE)
        assert done.code == 0, done.err
        assert (tmp_path / "here/run/model").exists() == (step != "extract")
    assert (tmp_path / "here/run/report.html").exists()


def test_a_run_is_repeated_from_its_resolved_study(rdfc_here, finished, tmp_path):
    done = rdfc_here("run", finished / "study.yaml", "--out", "run", "--json", *HERE)
    assert done.code == 0, done.err
    first = json.loads((finished / "results.json").read_text(encoding="utf-8"))
    assert json.loads(done.out)["rows"] == first["rows"]


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


def test_one_class_only_is_refused(rdfc_here, own, study_file):
    manifest = own / "manifest.csv"
    manifest.write_text(manifest.read_text("utf-8").replace("malignant", "benign"), "utf-8")
    done = rdfc_here("run", study_file, "--set", f"dataset.root={own}", "--out", "run", *HERE)
    assert done.code == 2
    assert "All 30 labelled cases are 'benign'" in done.err.splitlines()[-1]
    assert "Traceback" not in done.err


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


def test_progress_is_drawn_on_a_terminal_with_rate_and_note(monkeypatch):
    from rdfc_core.cli import console

    drawn = io.StringIO()
    terminal = Console(file=drawn, force_terminal=True, width=100)
    monkeypatch.setattr(console, "err", terminal)
    with console.DrawnProgress().task("Pretraining", 3) as advance:
        for _ in range(3):
            advance(1, note="loss 1.234")
    text = drawn.getvalue()
    assert "Pretraining" in text
    assert "3/3" in text
    assert "loss 1.234" in text


def test_a_fault_of_ours_asks_for_a_report_with_exit_code_1(rdfc_here, monkeypatch):
    from rdfc_core import environment

    monkeypatch.setattr(environment, "examine", lambda store: 1 / 0)
    done = rdfc_here("doctor")
    assert done.code == 1
    assert done.err.startswith("This is a fault of rdfc: ZeroDivisionError: division by zero.")
    assert "--debug" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("what", ["--out", "--store"])
def test_a_full_disk_is_one_sentence_and_after_some_space_the_same_command_goes_on(
    rdfc_here, study_file, tmp_path, what
):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        command = ("extract", study_file, "--out", "run", *HERE, what, disk / "x")
        done = rdfc_here(*command)
        assert done.code == 2
        assert "Traceback" not in done.err
        last = done.err.splitlines()[-1]
        full = {"--out": "The disk is full", "--store": f"The store {disk / 'x'} cannot be used"}
        assert last.startswith(full[what])
        assert "is kept" in last
        subprocess.run(["mount", "-o", "remount,size=9m", str(disk)], check=True)
        assert rdfc_here(*command).code == 0
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)  # its store is open


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


def test_plugins_are_listed_with_where_they_come_from(rdfc_here):
    listed = rdfc_here("plugins", "list")
    assert listed.code == 0
    line = next(line for line in listed.out.splitlines() if "outline" in line)
    assert "feature_extractor" in line
    assert "rdfc-small-parts" in line
    assert rdfc_here("plugins").out == listed.out
    found = json.loads(rdfc_here("plugins", "list", "--json").out)
    assert {"kind", "name", "summary", "distribution", "unavailable"} == set(found["components"][0])
    assert ("view", "greys") in [(one["kind"], one["name"]) for one in found["components"]]


def test_a_component_is_shown_with_its_options(rdfc_here):
    shown = rdfc_here("plugins", "show", "outline")
    assert shown.code == 0
    assert "feature extractor 'outline', from rdfc-small-parts 0.1.0" in shown.out
    assert re.search(r"percentile: Lower percentile\. .*default: 10\.0", shown.out)
    schema = json.loads(rdfc_here("plugins", "show", "outline", "--json").out)
    assert schema["properties"]["percentile"]["exclusiveMaximum"] == 50


def test_every_component_can_be_shown(rdfc_here, registry):
    for name in {component.name for component, _ in registry.components()}:
        assert rdfc_here("plugins", "show", name).code == 0


def test_a_new_plugin_is_written_and_not_over_another(rdfc_here):
    done = rdfc_here("plugins", "new", "feature_extractor", "texture")
    assert done.code == 0, done.err
    folder = Path(done.out.splitlines()[0])
    assert (folder / "pyproject.toml").exists()
    assert "pip install" in done.out
    again = rdfc_here("plugins", "new", "feature_extractor", "texture")
    again.refused(str(folder.name))


def test_doctor_names_versions_plugins_and_traps(rdfc_here, tmp_path):
    done = rdfc_here("doctor", "--store", tmp_path / "s.sqlite", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert set(found) == {"Versions", "Devices", "Plugins", "Store", "Traps"}
    assert any(line.startswith("torch ") for line in found["Versions"])
    assert any("outline" in line and "ready" in line for line in found["Plugins"])
    shown = rdfc_here("doctor", "--store", tmp_path / "s.sqlite")
    assert shown.code == 0
    assert "Versions" in shown.out
    (tmp_path / "bad.sqlite").write_bytes(b"no database" * 500)
    trapped = rdfc_here("doctor", "--store", tmp_path / "bad.sqlite", "--json")
    assert any("bad.sqlite cannot be used" in line for line in json.loads(trapped.out)["Traps"])


def test_ctrl_c_while_pretraining_says_that_the_same_command_resumes(
    rdfc, outside, rdfc_here, study_file, tmp_path
):
    args = [
        *("run", str(study_file), "--out", str(tmp_path / "run"), *HERE),
        *("--store", str(tmp_path / "store.sqlite"), "--set", "pretrain.epochs=120"),
    ]
    process = subprocess.Popen(
        [rdfc, *args], env=outside, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    jobs.wait_for_lines(tmp_path / "run" / "metrics.jsonl", 3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    last = err.strip().splitlines()[-1]
    assert last == "Interrupted. What is finished is kept: the same command goes on from there."
    assert out == ""
    before = len((tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines())
    assert 3 <= before < 120
    done = rdfc_here(*args)
    assert done.code == 0, done.err
    assert "Continuing after epoch" in done.err
    after = (tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in after] == list(range(1, 121))


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
