"""Two processes train what one trains, and write no more than one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from rdfc_core import DataError, PluginError, StoppedError, StudyError
from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.distributed.launcher import ProcessGroupLauncher, require_devices
from rdfc_core.distributed.process_group import ProcessGroup
from rdfc_core.training import pretrain
from rdfc_core.training.metrics_log import PretrainPaths
from rdfc_core.training.state import Task
from tests.support import many_processes, small_study
from tests.support.many_processes import STILL, losses, state
from tests.support.small_parts import GreyTower, GreyViewConfig


@pytest.fixture(scope="module")
def launcher() -> Iterator[ProcessGroupLauncher]:
    with ProcessGroupLauncher.on_this_machine(2, patience_s=60) as started:
        yield started


@pytest.mark.parametrize(
    "overrides",
    [
        ("pretrain.batch_size=16",),
        ("pretrain.batch_size=5",),  # rows that do not divide evenly
        ("pretrain.batch_size=7", "pretrain.optimizer=adamw"),
        ("objective.variant=full-bank",),
        ("objective.variant=in-batch", "pretrain.precision=bf16-mixed"),
        ("views.radiomics.corruption=0.3", "pretext.pairing=reshuffled"),
        ("pretext=simclr",),  # encodes two rows a case, and knows nothing of processes
        ("pretext=jigsaw", "views.image.size=[24,24]"),
        ("pretext=autoencoder",),
    ],
    ids=" ".join,
)
def test_two_processes_lose_what_one_loses(pictures, tmp_path, launcher, overrides):
    chosen = [STILL, "pretrain.epochs=3", *overrides]
    small_study.train(pictures, tmp_path / "one", chosen)
    small_study.train(pictures, tmp_path / "two", chosen, launcher=launcher)
    half = "pretrain.precision=bf16-mixed" in overrides  # which rounds to three digits
    assert losses(tmp_path / "two") == pytest.approx(
        losses(tmp_path / "one"), rel=1e-2 if half else 2e-5
    )
    # AdamW makes whole steps of a gradient that is rounding alone: a bias before normalisation.
    if not half and "pretrain.optimizer=adamw" not in overrides:
        one, two = state(tmp_path / "one", "pretext"), state(tmp_path / "two", "pretext")
        assert list(one) == list(two)
        for name, value in one.items():  # weights, batch statistics and banks
            torch.testing.assert_close(value, two[name], rtol=1e-3, atol=1e-4, msg=name)


def test_without_synchronisation_each_normalises_its_own_rows(pictures, tmp_path, launcher):
    chosen = [STILL, "pretrain.epochs=2", "pretrain.sync_batchnorm=false"]
    small_study.train(pictures, tmp_path / "one", chosen)
    small_study.train(pictures, tmp_path / "two", chosen, launcher=launcher)
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert one != pytest.approx(two, rel=1e-3)
    assert one == pytest.approx(two, rel=0.2)


def test_resumed_in_two_processes_it_ends_as_if_it_had_not_stopped(pictures, tmp_path, launcher):
    for epochs in (2, 4):  # with dropout
        small_study.train(
            pictures, tmp_path / "twice", [f"pretrain.epochs={epochs}"], launcher=launcher
        )
    small_study.train(pictures, tmp_path / "once", ["pretrain.epochs=4"], launcher=launcher)
    assert losses(tmp_path / "twice") == losses(tmp_path / "once")
    for part in ("pretext", "optimizer"):
        one, other = (many_processes.flat(state(tmp_path / n, part)) for n in ("once", "twice"))
        assert one.keys() == other.keys()
        assert all(torch.equal(torch.as_tensor(one[k]), torch.as_tensor(other[k])) for k in one)


class StoppingAfter:
    """Listens to a training, and asks to stop after so many epochs."""

    def __init__(self, epochs: int) -> None:
        self.left = epochs

    def send(self, metrics: Mapping[str, float]) -> str | None:
        self.left -= 1
        return "a test" if self.left == 0 else None


def test_a_stop_ends_all_processes_and_they_go_on_together(pictures, tmp_path, launcher):
    once, twice = tmp_path / "once", tmp_path / "twice"
    small_study.train(pictures, once, ["pretrain.epochs=3"], launcher=launcher)
    with pytest.raises(StoppedError, match=r"stopped after epoch 2 of .* by a test"):
        small_study.train(
            pictures, twice, ["pretrain.epochs=3"], told=StoppingAfter(2), launcher=launcher
        )
    assert len(losses(twice)) == 2
    small_study.train(pictures, twice, ["pretrain.epochs=3"], launcher=launcher)
    assert losses(twice) == losses(once)


def test_what_two_processes_began_one_finishes(pictures, tmp_path, launcher):
    chosen = [STILL, "pretrain.epochs=2"]
    small_study.train(pictures, tmp_path / "both", chosen, launcher=launcher)
    small_study.train(pictures, tmp_path / "both", [STILL, "pretrain.epochs=4"])
    small_study.train(pictures, tmp_path / "one", [STILL, "pretrain.epochs=4"])
    assert losses(tmp_path / "both") == pytest.approx(losses(tmp_path / "one"), rel=2e-5)


def fit(
    folder: Path,
    launcher: ProcessGroupLauncher | None,
    tower: GreyTower,
    cases: int = 11,
    **settings: Any,
) -> many_processes.Centred:
    """Train a small task; the first feature of case i is i."""
    pretext = many_processes.Centred()
    pretext.build({"greys": tower}, cases, torch.Generator())
    data = torch.rand(cases, 16, generator=torch.Generator().manual_seed(1))
    data[:, 0] = torch.arange(cases)
    views = {"greys": many_processes.Plain(GreyViewConfig())}
    chosen = PretrainSettings(**{"epochs": 2, "batch_size": 6, **settings})
    pretrain.fit(
        Task(pretext, views, {"greys": data}, chosen, 0),
        PretrainPaths(folder, "s"),
        launcher=launcher,
    )
    return pretext


def test_each_case_is_encoded_once_an_epoch_by_one_of_the_processes(tmp_path, launcher):
    torch.manual_seed(0)
    fit(tmp_path / "run", launcher, many_processes.NotingTower(tmp_path))
    noted = [json.loads(file.read_text()) for file in sorted(tmp_path.glob("rows-*.json"))]
    assert len(noted) == 2
    draws = [step["draw"] for steps in noted for step in steps]
    assert len(set(draws)) == len(draws)  # dropout falls anew in every step and process
    ours, theirs = ([step["rows"] for step in steps] for steps in noted)
    assert len(ours) == len(theirs) == 4  # two epochs of two batches: 6 and 5 cases
    assert sorted(len(rows) for rows in ours + theirs) == [2, 2, 3, 3, 3, 3, 3, 3]
    for epoch in (slice(0, 2), slice(2, 4)):
        seen = [case for rows in ours[epoch] + theirs[epoch] for case in rows]
        assert sorted(seen) == list(range(11))


def test_layers_that_a_task_does_without_stay_as_they_were(tmp_path, launcher):
    torch.manual_seed(0)
    tower = GreyTower(16)
    tower.spare = torch.nn.Linear(3, 3)
    before = tower.spare.weight.detach().clone()
    trained = fit(tmp_path, launcher, tower, optimizer="adamw", weight_decay=0.5).towers["greys"]
    assert torch.equal(trained.spare.weight, before)
    assert "forward" not in trained.__dict__


def test_only_the_leading_process_tells_and_writes(pictures, tmp_path, launcher):
    class Heard:
        def __init__(self) -> None:
            self.epochs: list[float] = []

        def send(self, metrics: Mapping[str, float]) -> None:
            self.epochs.append(metrics["epoch"])

    heard = Heard()
    small_study.train(pictures, tmp_path, ["pretrain.epochs=2"], heard, launcher)
    assert heard.epochs == [1, 2]
    lines = (tmp_path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2]
    assert len(list((tmp_path / "tensorboard" / "holdout").iterdir())) == 1


def test_batches_too_small_for_the_processes_are_refused_before_any_starts(tmp_path, launcher):
    with pytest.raises(StudyError, match=r"Batches of 2 cases are too small for 2 processes"):
        fit(tmp_path, launcher, GreyTower(16), batch_size=3)


@pytest.mark.parametrize(
    ("option", "value"),
    [("data_placement", "file"), ("compile", "default")],
    ids=["file", "compile"],
)
def test_what_only_one_process_can_do_is_refused_before_any_starts(
    tmp_path, launcher, option, value
):
    with pytest.raises(StudyError, match=rf"pretrain\.{option}.* is for one process.*--devices 1"):
        fit(tmp_path, launcher, GreyTower(16), **{option: value})


def test_a_view_that_cannot_be_sent_is_named(tmp_path, launcher):
    class Local(GreyTower):
        """Of a function, where no other process finds it."""

    with pytest.raises(PluginError, match=r"cannot be sent to other processes .*Local"):
        fit(tmp_path, launcher, Local(16))


def test_more_devices_than_there_are_are_refused():
    with pytest.raises(StudyError, match=r"--devices 4096: this machine has \d+ "):
        require_devices(4096)


@pytest.mark.parametrize("rows", [0, 1, 2, 7, 64])
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_parts_hold_each_row_once_and_are_of_nearly_equal_size(rows, size):
    parts = ProcessGroup(size=size).parts(rows)
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(rows))
    lengths = [part.stop - part.start for part in parts]
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize(
    ("fault", "expected", "error"),
    [
        ("data", r"^Process 2 of 2: Case 7 is no case\.$", StudyError),
        ("bug", r"^Process 2 of 2: .*ZeroDivisionError", Exception),
        ("SIGKILL", r"^Process 2 of 2 was ended by SIGKILL .* the same command goes on", Exception),
        ("SIGTERM", r"^Process 2 of 2 was ended by SIGTERM .* the same command goes on", Exception),
        ("SIGSTOP", r"^Another process has not answered for 3 s", Exception),
    ],
)
def test_a_process_that_fails_ends_the_training_with_its_reason(tmp_path, fault, expected, error):
    with ProcessGroupLauncher.on_this_machine(
        2, patience_s=3 if fault == "SIGSTOP" else 60
    ) as short_lived:
        with pytest.raises(error, match=expected) as caught:
            fit(tmp_path, short_lived, many_processes.FailingTower(fault), epochs=50)
        assert not isinstance(caught.value, DataError)
    assert all(worker.exitcode is not None for worker in short_lived.workers)


def test_an_error_of_the_leading_process_is_its_own_and_ends_the_other(tmp_path):
    with (
        ProcessGroupLauncher.on_this_machine(2, patience_s=60) as short_lived,
        pytest.raises(DataError, match="The loss became nan in epoch 1"),
    ):
        fit(tmp_path, short_lived, many_processes.FailingTower("nan"))
    assert short_lived.workers[0].exitcode is not None
