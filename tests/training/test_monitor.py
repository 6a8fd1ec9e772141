"""Trainings that go wrong: divergence ends them, collapse is told once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

from rdfc_core import DataError
from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.interfaces import Batch, Pretext, PretextOutput, Tower
from rdfc_core.training import checkpoint, pretrain
from rdfc_core.training.collapse import collapse_signs, spreads
from rdfc_core.training.metrics_log import PretrainPaths
from rdfc_core.training.monitor import PATIENCE, CollapseMonitor
from rdfc_core.training.state import Task
from tests.support import small_study
from tests.support.small_parts import GreyTower, GreyView, GreyViewConfig


def signs(spread: float, epoch: int, cases: int = 50, width: int = 16) -> dict[str, float]:
    """Of embeddings that lie around one point, the nearer the smaller the spread."""
    generator = torch.Generator().manual_seed(epoch)
    noise = torch.randn(cases, width, generator=generator)
    sound = torch.randn(cases, width, generator=generator)
    return {
        "epoch": epoch,
        **collapse_signs({"image": torch.ones(width) + spread * noise, "greys": sound}),
    }


def warned(spreads: list[float], caplog: pytest.LogCaptureFixture) -> list[str]:
    watch = CollapseMonitor()
    for epoch, spread in enumerate(spreads, start=1):
        watch.look(signs(spread, epoch))
    return [record.getMessage() for record in caplog.records]


def test_collapsed_embeddings_are_told_once_with_their_view_and_what_to_do(caplog):
    [told] = warned([1, 0.01, 0.01, 0.01, 0.01, 1, 0.01, 0.01, 0.01], caplog)
    assert told.startswith(f"View image: for {PATIENCE} epochs, up to epoch 4,")
    assert "effective rank 1." in told
    assert "Lower pretrain.learning_rate" in told


def test_a_collapse_of_few_epochs_is_not_told(caplog):
    assert warned([0.01, 0.01, 1, 0.01, 0.01], caplog) == []


def test_embeddings_on_one_line_are_collapsed_though_their_mean_cosine_is_0(caplog):
    watch = CollapseMonitor()
    line = torch.tensor([1.0, -1.0]).repeat(20)[:, None] * torch.ones(8)
    for epoch in range(PATIENCE):
        watch.look({"epoch": epoch, **collapse_signs({"image": line})})
    assert "effective rank 1.0" in caplog.text


class Alike(Pretext):
    """A pretext whose embeddings all lie near one point."""

    def build(self, towers: Mapping[str, Tower], cases: int, generator: torch.Generator) -> None:
        self.tower = towers["greys"]

    def forward(self, batch: Batch) -> PretextOutput:
        embedded = self.tower(batch.draw("greys"))
        return PretextOutput(embedded.mean(), {}, {"greys": 100 + embedded.detach()})

    def encoders(self) -> Mapping[str, Tower]:
        return {"greys": self.tower}


def test_a_training_that_collapses_warns_and_goes_on(tmp_path, caplog):
    pretext = Alike()
    pretext.build({"greys": GreyTower(16)}, 20, torch.Generator())
    views, cases = {"greys": GreyView(GreyViewConfig())}, {"greys": torch.rand(20, 16)}
    pretrain.fit(
        Task(pretext, views, cases, PretrainSettings(epochs=6), 0), PretrainPaths(tmp_path, "s")
    )
    assert "View greys: for 3 epochs, up to epoch 3," in caplog.text
    assert caplog.text.count("View greys") == 1
    assert checkpoint.load(PretrainPaths(tmp_path, "s").checkpoint)["epoch"] == 6


def test_a_sound_training_gives_no_warning(pictures, tmp_path, caplog):
    small_study.train(pictures, tmp_path)
    assert "View" not in caplog.text


def test_weights_that_are_no_numbers_are_not_saved_though_the_loss_still_was_one(
    pictures, tmp_path
):
    # One batch an epoch: the loss is that of the weights before the step.
    overrides = ["batch_size=64", "learning_rate=1e38", "momentum=0", "weight_decay=1e3"]
    with pytest.raises(DataError, match="A weight became infinite or NaN in epoch 1") as caught:
        small_study.train(pictures, tmp_path, [f"pretrain.{one}" for one in overrides])
    assert "Lower pretrain.learning_rate" in str(caught.value)
    assert not PretrainPaths(tmp_path, "holdout").checkpoint.exists()


def shrinking(lengths: list[float]) -> CollapseMonitor:
    """What is told of embeddings that keep their directions and lose their length."""
    watch = CollapseMonitor()
    sound = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    for epoch, length in enumerate(lengths, start=1):
        rows = length * sound
        watch.look({"epoch": epoch, **collapse_signs({"a": rows}), **spreads({"a": [rows]})})
    return watch


def test_embeddings_that_fall_into_one_point_are_told_though_their_directions_differ(caplog):
    shrinking([1, 0.1, 1e-3, 1e-4, 1e-5])
    [told] = [record.getMessage() for record in caplog.records]
    assert "distance to their mean 2.6e-05 after 2.6" in told
    assert told.startswith("View a: for 3 epochs, up to epoch 5,")


@pytest.mark.parametrize("lengths", [[1, 0.5, 0.2, 0.1, 0.05, 0.02], [1e-4] * 6])
def test_embeddings_that_are_short_or_become_shorter_are_not_collapsed(caplog, lengths):
    shrinking(lengths)
    assert caplog.text == ""


def test_embeddings_that_are_all_zero_are_collapsed(caplog):
    shrinking([1, 0, 0, 0])
    assert "distance to their mean 0 after 2.6" in caplog.text
    caplog.clear()
    shrinking([0, 0, 0])
    assert "View a: for 3 epochs, up to epoch 3," in caplog.text


class WithoutVariance(Pretext):
    """VICReg without the term that keeps cases apart: both views are pulled into one point."""

    def build(self, towers: Mapping[str, Tower], cases: int, generator: torch.Generator) -> None:
        self.tower = towers["greys"]
        self.head = torch.nn.Sequential(
            torch.nn.Linear(self.tower.out_features, 16),
            torch.nn.BatchNorm1d(16),
            torch.nn.ReLU(),
            torch.nn.Linear(16, 8, bias=False),
        )

    def forward(self, batch: Batch) -> PretextOutput:
        a, b = (self.head(self.tower(batch.draw("greys") + noise)) for noise in (0.3, -0.3))
        centred = a - a.mean(0)
        covariance = centred.T @ centred / (len(a) - 1)
        apart = covariance.square().sum() - covariance.diagonal().square().sum()
        loss = 25 * (a - b).square().mean() + apart / 8
        return PretextOutput(loss, {}, {"greys": a.detach()})

    def encoders(self) -> Mapping[str, Tower]:
        return {"greys": self.tower}


def test_a_task_without_its_variance_term_is_told_to_collapse(tmp_path, caplog):
    torch.manual_seed(0)
    pretext = WithoutVariance()
    pretext.build({"greys": GreyTower(16)}, 64, torch.Generator())
    views, cases = {"greys": GreyView(GreyViewConfig())}, {"greys": torch.rand(64, 16)}
    settings = PretrainSettings(epochs=60, batch_size=16, learning_rate=0.05, optimizer="adamw")
    pretrain.fit(Task(pretext, views, cases, settings, 0), PretrainPaths(tmp_path, "s"))
    assert "distance to their mean" in caplog.text  # directions alone tell nothing of it
