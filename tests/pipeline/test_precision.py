"""`precision: auto`: the machine chooses when a run begins, and the run keeps to it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from rdfc_core.pipeline import run as studies
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.precision import as_begun, warn_if_emulated
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.training import device
from rdfc_core.training.cpu_instructions import CpuInstructions
from rdfc_core.training.device import device_for, fastest
from tests.support import small_study
from tests.support.small_study import QUICK

AUTO = (*QUICK, "pretrain.precision=auto")


def recorded(run: Path) -> str:
    return str(yaml.safe_load((run / "study.yaml").read_text())["pretrain"]["precision"])


def test_a_run_records_what_was_chosen(pictures: Path, run_context: RunContext, tmp_path: Path):
    study = small_study.resolved(pictures, *AUTO)
    studies.run(study, tmp_path / "run", run_context, until="extract")
    assert recorded(tmp_path / "run") == fastest()


@pytest.mark.parametrize("chosen", ["32-true", "bf16-mixed"])
def test_a_run_goes_on_as_it_began_on_a_machine_that_chooses_otherwise(
    pictures: Path,
    run_context: RunContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    chosen: str,
):
    study, run = small_study.resolved(pictures, *AUTO), tmp_path / "run"
    monkeypatch.setattr(device, "fastest", lambda: chosen)
    studies.run(study, run, run_context, until="extract")
    other = {"32-true": "bf16-mixed", "bf16-mixed": "32-true"}[chosen]
    monkeypatch.setattr(device, "fastest", lambda: other)
    studies.run(study, run, run_context, until="pretrain")
    assert recorded(run) == chosen
    assert as_begun(study, RunFolder(run).read_study()).pretrain.precision == chosen
    studies.run(study, run, run_context, overwrite=True, until="extract")
    assert recorded(run) == other


def test_what_a_study_says_is_not_chosen_anew(pictures: Path, finished: Path):
    study = small_study.resolved(pictures, *QUICK, "pretrain.precision=16-mixed")
    assert as_begun(study, RunFolder(finished).read_study()) is study


def test_only_an_own_precision_is_taken_from_a_folder(pictures: Path, tmp_path: Path):
    study = small_study.resolved(pictures, *AUTO)
    for there in ("{pretrain: {precision: 64-odd}}", "{pretrain: 5}", "{seed: 1}"):
        (tmp_path / "study.yaml").write_text(there)
        assert as_begun(study, RunFolder(tmp_path).read_study()).pretrain.precision == "auto"


def test_devices_know_auto(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(device, "fastest", lambda: "bf16-mixed")
    assert device_for("auto").strategy.precision.precision == "bf16-mixed"
    assert device_for("32-true").strategy.precision.precision == "32-true"


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (["pretrain.precision=bf16-mixed"], ["pretrain"]),
        (
            ["evaluate.methods=[hybrid-scratch]", "evaluate.supervised.precision=bf16-mixed"],
            ["evaluate.supervised"],
        ),
        (["evaluate.supervised.precision=bf16-mixed"], []),  # no method trains with labels
        (["pretrain.precision=32-true"], []),
    ],
)
def test_a_precision_that_is_emulated_is_warned_of(
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    overrides: list[str],
    named: list[str],
):
    study = small_study.resolved(pictures, *QUICK, *overrides)
    monkeypatch.setattr(device, "emulates_bfloat16", lambda: False)
    warn_if_emulated(study)
    assert caplog.messages == []
    monkeypatch.setattr(device, "emulates_bfloat16", lambda: True)
    warn_if_emulated(study)
    assert [message.split(".precision is bf16-mixed")[0] for message in caplog.messages] == named


@pytest.mark.parametrize(
    ("cuda", "bf16", "avx", "amx", "expected"),
    [
        (True, True, False, False, "bf16-mixed"),
        (True, False, True, True, "32-true"),
        (False, True, True, False, "bf16-mixed"),
        (False, True, False, True, "bf16-mixed"),
        (False, True, False, False, "32-true"),
    ],
)
def test_bfloat16_is_chosen_where_the_device_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, bf16: bool, avx: bool, amx: bool, expected: str
):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bf16)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(device, "cpu_instructions", lambda: CpuInstructions(avx, amx))
    assert fastest() == expected
