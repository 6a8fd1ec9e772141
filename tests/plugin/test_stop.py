"""A plugin asks to stop a run: the state is saved, and the same command goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from rdfc_core import Stop
from rdfc_core.training import checkpoint
from rdfc_core.training.metrics_log import PretrainPaths

HERE = "--executor=local:workers=0"

STOPPING = """
from pathlib import Path

from rdfc_core import Stop, hookimpl

rdfc_interface = 1


@hookimpl
def {hook}(folder{arguments}):
    once = Path({once!r})
    if {condition} and not once.exists():
        once.touch()
        return {answer}
"""


@pytest.fixture
def stopping(animal, tmp_path):
    """Installs ``zoo-guard``, which asks once to stop."""

    def install(
        hook: str = "rdfc_epoch_ended",
        condition: str = "metrics['epoch'] == 2",
        arguments: str = ", metrics",
        answer: str = "Stop('its hour is over.')",
    ) -> None:
        once = str(tmp_path / "asked")
        animal(
            "guard",
            STOPPING.format(
                hook=hook, condition=condition, arguments=arguments, answer=answer, once=once
            ),
        )

    return install


@pytest.fixture
def four_epochs(study_file: Path) -> Path:
    study = yaml.safe_load(study_file.read_text("utf-8"))
    # Checkpoints are due at the end alone: what is saved is saved because of the stop.
    study["pretrain"] |= {"epochs": 4, "checkpoint_every": 10}
    study["evaluate"]["controls"] = []
    study_file.write_text(yaml.safe_dump(study), "utf-8")
    return study_file


def lines(run: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
    timed = ("seconds", "cases_per_second")
    return [{k: v for k, v in line.items() if k not in timed} for line in found]


def test_a_run_that_a_plugin_stops_is_saved_and_goes_on_as_if_it_had_not_been(
    stopping, rdfc_here, four_epochs, tmp_path
):
    whole, run = tmp_path / "whole", tmp_path / "run"
    assert rdfc_here("pretrain", four_epochs, "--out", whole, HERE).code == 0
    stopping()
    done = rdfc_here("pretrain", four_epochs, "--out", run, HERE)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert (
        "The run was stopped after epoch 2 of pretraining (holdout) by the plugin zoo-guard:guard "
        "(its hour is over). What is finished is kept: the same command goes on from there."
    ) in done.err
    assert checkpoint.load(PretrainPaths(run, "holdout").checkpoint)["epoch"] == 2
    assert not (run / "results.json").exists()
    again = rdfc_here("pretrain", four_epochs, "--out", run, HERE)
    assert again.code == 0, again.err
    assert "Continuing after epoch 2" in again.err
    assert lines(run) == lines(whole)


def test_a_stop_after_the_last_epoch_leaves_the_evaluation_to_the_next_command(
    stopping, rdfc_here, four_epochs, tmp_path
):
    stopping(condition="metrics['epoch'] == 4")
    done = rdfc_here("run", four_epochs, "--out", tmp_path / "run", HERE)
    assert "The run was stopped after epoch 4 of pretraining (holdout)" in done.err
    assert rdfc_here("run", four_epochs, "--out", tmp_path / "run", HERE).code == 0
    assert [line["epoch"] for line in lines(tmp_path / "run")] == [1, 2, 3, 4]
    assert (tmp_path / "run" / "report.html").exists()


def test_a_run_may_be_stopped_before_anything_is_measured(
    stopping, rdfc_here, four_epochs, tmp_path
):
    stopping("rdfc_run_started", "True", ", study")
    done = rdfc_here("extract", four_epochs, "--out", tmp_path / "run", HERE)
    assert done.code == 2
    assert "The run was stopped before its first step by the plugin zoo-guard:guard" in done.err
    assert not (tmp_path / "run" / "features.parquet").exists()
    assert rdfc_here("extract", four_epochs, "--out", tmp_path / "run", HERE).code == 0


@pytest.mark.parametrize(
    ("hook", "arguments", "answer", "wanted"),
    [
        ("rdfc_epoch_ended", ", metrics", "True", "Return None, or a Stop."),
        ("rdfc_run_finished", ", results", "Stop('late')", "Return None."),
    ],
)
def test_another_answer_is_told_with_the_plugin_s_name_and_ignored(
    stopping, rdfc_here, four_epochs, tmp_path, hook, arguments, answer, wanted
):
    stopping(hook, "True", arguments, answer)
    done = rdfc_here("pretrain", four_epochs, "--out", tmp_path / "run", HERE)
    assert done.code == 0, done.err
    told = " ".join(done.err.split())
    assert f"Plugin zoo-guard:guard returned {answer.replace('Stop(', 'Stop(reason=')}" in told
    assert f"from {hook}, which is ignored. {wanted}" in told


def test_a_stop_without_a_reason_is_a_plugin_that_fails(stopping, rdfc_here, four_epochs, tmp_path):
    stopping(answer="Stop('')")
    done = rdfc_here("pretrain", four_epochs, "--out", tmp_path / "run", HERE)
    assert done.code == 0, done.err
    told = " ".join(done.err.split())
    assert "Plugin zoo-guard:guard failed in rdfc_epoch_ended: TypeError: a Stop needs" in told


def test_a_reason_is_words():
    assert Stop("enough").reason == "enough"
    for reason in ("", "  ", None, 3):
        with pytest.raises(TypeError, match="in words"):
            Stop(reason)
