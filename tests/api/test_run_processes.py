"""`rdfc.run` in several processes: those that it starts, and those that torchrun started."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import rdfc_core as rdfc
from rdfc_core import StudyError

SCRIPT = """
import sys
import rdfc_core as rdfc

if __name__ == "__main__":
    study, out, devices = sys.argv[1:]
    run = rdfc.run(
        study,
        out,
        overrides={"views.radiomics.dropout": 0, "pretrain.precision": "32-true"},
        until="pretrain",
        store="store.sqlite",
        executor="local:workers=0",
        devices=int(devices),
    )
    print("pretrained in", run.folder.name)
"""
DEADLINE_S = 240


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


def run(words: list[str], folder: Path, outside: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run(
        words,
        cwd=folder,
        env=outside,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )


def losses(run_folder: Path) -> list[float]:
    text = (run_folder / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line)["loss"] for line in text.splitlines()]


def test_two_devices_train_what_one_trains(script, study_file, tmp_path, outside):
    for devices in ("1", "2"):
        words = [sys.executable, str(script), str(study_file), f"run-{devices}", devices]
        done = run(words, tmp_path, outside)
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"pretrained in run-{devices}\n"
    one, two = (losses(tmp_path / f"run-{devices}") for devices in "12")
    assert two == pytest.approx(one, rel=2e-5)


def test_under_torchrun_each_process_refuses_and_writes_nothing(
    script, study_file, tmp_path, outside
):
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = run([*start, str(script), str(study_file), "run", "1"], tmp_path, outside)
    assert done.returncode != 0
    assert "torchrun … -m rdfc_core run STUDY.yaml" in done.stderr
    assert "pretrained" not in done.stdout
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("devices", [0, -1, 1.5, "2", True])
def test_devices_is_a_whole_number(study_file, tmp_path, devices):
    with pytest.raises(StudyError, match=r"^devices is .*whole number"):
        rdfc.run(study_file, tmp_path / "run", devices=devices)
    assert not (tmp_path / "run").exists()


def test_more_devices_than_there_are_are_refused(study_file, tmp_path):
    with pytest.raises(StudyError, match=r"9999: this machine has"):
        rdfc.run(study_file, tmp_path / "run", devices=9999, store=tmp_path / "store.sqlite")
