"""Checkpoints that are written while the training goes on: nothing is lost that was due."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from rdfc_core import DataError
from rdfc_core.training import checkpoint
from rdfc_core.training.checkpoint_writer import CheckpointWriter
from rdfc_core.utils.signals import Terminated


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints" / "holdout.safetensors"


def state(epoch: int, weights: torch.Tensor) -> dict[str, Any]:
    return {"epoch": epoch, "weights": weights}


def test_what_is_written_is_the_state_as_it_was_when_it_was_kept(path):
    weights = torch.zeros(1_000_000)
    with CheckpointWriter(path) as writer:
        for epoch in range(1, 4):
            weights.fill_(epoch)
            writer.keep(state(epoch, weights), due=True)
            weights.fill_(-1)  # the next epoch trains on
    for file, epoch in ((path, 3), (path.with_name(f"previous-{path.name}"), 2)):
        found = checkpoint.load(file)
        assert found["epoch"] == epoch
        assert torch.equal(found["weights"], torch.full((1_000_000,), float(epoch)))


def test_what_is_not_due_is_not_written(path):
    with CheckpointWriter(path) as writer:
        writer.keep(state(1, torch.zeros(3)), due=True)
        writer.keep(state(2, torch.zeros(3)), due=False)
    assert checkpoint.load(path)["epoch"] == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, Terminated, DataError])
def test_an_interruption_writes_the_newest_state_though_it_was_not_due(path, error, caplog):
    caplog.set_level("INFO", "rdfc")

    def train() -> None:
        with CheckpointWriter(path) as writer:
            writer.keep(state(1, torch.zeros(3)), due=True)
            writer.keep(state(2, torch.zeros(3)), due=False)
            raise error("stop")

    with pytest.raises(error, match="stop"):
        train()
    assert checkpoint.load(path)["epoch"] == 2
    assert f"is kept in {path}" in caplog.text


def test_an_error_of_another_kind_leaves_what_was_due_and_is_itself_told(path):
    def train() -> None:
        with CheckpointWriter(path) as writer:
            writer.keep(state(1, torch.zeros(3)), due=True)
            writer.keep(state(2, torch.zeros(3)), due=False)
            raise RuntimeError("the device is gone")

    with pytest.raises(RuntimeError, match="the device is gone"):
        train()
    assert checkpoint.load(path)["epoch"] == 1


def test_a_full_disk_ends_the_training_an_epoch_later_and_the_last_good_state_is_kept(small_disk):
    path = small_disk("1m") / "holdout.safetensors"
    kept = []

    def train() -> None:
        with CheckpointWriter(path) as writer:
            for epoch, size in ((1, 100_000), (2, 200_000), (3, 200_000)):
                writer.keep(state(epoch, torch.zeros(size)), due=True)
                kept.append(epoch)

    with pytest.raises(DataError, match=r"could not be written.*The last good one is kept"):
        train()
    assert kept == [1, 2]
    assert checkpoint.load(path)["epoch"] == 1


def test_a_full_disk_is_told_of_the_last_checkpoint_too(small_disk):
    path = small_disk("1m") / "holdout.safetensors"
    with pytest.raises(DataError, match="could not be written"), CheckpointWriter(path) as writer:
        writer.keep(state(1, torch.zeros(400_000)), due=True)
    assert checkpoint.load(path) is None
