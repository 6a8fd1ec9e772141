"""Pretraining: every case once an epoch, at the learning rate that was asked for."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rdfc_core import DataError
from rdfc_core.config.study import PretrainSettings
from rdfc_core.interfaces import Batch, Pretext, PretextOutput, Tower
from rdfc_core.training import checkpoint, pretrain
from rdfc_core.training.metrics_log import PretrainPaths
from rdfc_core.training.state import Task
from tests.support import small_study
from tests.support.small_parts import GreyTower, GreyView, GreyViewConfig


def lines_of(run: Path) -> list[dict[str, Any]]:
    text = (run / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


class Recorder(Pretext):
    """A pretext that pulls embeddings to zero and writes down what it was asked."""

    def __init__(self, loss_factor: float = 1.0) -> None:
        super().__init__()
        self.factor = loss_factor
        self.batches: list[Tensor] = []
        self.stepped: list[Tensor] = []
        self.places: list[tuple[int, int]] = []
        self.weight_at_step: list[Tensor] = []

    def build(self, towers: Mapping[str, Tower], cases: int, generator: torch.Generator) -> None:
        self.towers = nn.ModuleDict(dict(towers))

    def forward(self, batch: Batch) -> PretextOutput:
        self.batches.append(batch.indices)
        self.places.append((batch.step, batch.steps))
        embedded = self.towers["greys"](batch.draw("greys"))
        loss = self.factor * embedded.square().mean()
        first = (batch.indices == 0).float().mean()
        return PretextOutput(loss, {"share_of_the_first": first}, {"greys": embedded.detach()})

    def after_step(self, indices: Tensor, embeddings: Mapping[str, Tensor]) -> None:
        self.stepped.append(indices)
        assert len(embeddings["greys"]) == len(indices)
        assert not embeddings["greys"].requires_grad

    def encoders(self) -> Mapping[str, Tower]:
        return {"greys": self.towers["greys"]}


def fit(tmp_path: Path, cases: int, pretext: Recorder | None = None, **settings: Any) -> Recorder:
    recorder = pretext or Recorder()
    torch.manual_seed(0)
    recorder.build({"greys": GreyTower(16)}, cases, torch.Generator())
    view = GreyView(GreyViewConfig())
    data = torch.rand(cases, 16, generator=torch.Generator().manual_seed(1))
    pretrain.fit(
        Task(recorder, {"greys": view}, {"greys": data}, PretrainSettings(**settings), 0),
        PretrainPaths(tmp_path, "s"),
    )
    return recorder


@pytest.mark.parametrize(("cases", "batch_size"), [(20, 8), (17, 16), (5, 2), (3, 2), (2, 64)])
def test_every_case_is_seen_once_an_epoch_in_batches_of_nearly_equal_size(
    tmp_path, cases, batch_size
):
    recorder = fit(tmp_path, cases, epochs=3, batch_size=batch_size)
    per_epoch = len(recorder.batches) // 3
    orders = []
    for epoch in range(3):
        batches = recorder.batches[epoch * per_epoch : (epoch + 1) * per_epoch]
        order = torch.cat(batches)
        assert sorted(order.tolist()) == list(range(cases))
        sizes = [len(batch) for batch in batches]
        assert min(sizes) >= 2  # batch normalisation needs two
        assert max(sizes) - min(sizes) <= 1
        assert max(sizes) <= max(batch_size, 3)
        orders.append(order.tolist())
    assert cases < 5 or orders[0] != orders[1] != orders[2]
    for seen, stepped in zip(recorder.batches, recorder.stepped, strict=True):
        assert torch.equal(seen, stepped)


def test_logs_are_means_over_cases_not_over_batches(tmp_path):
    fit(tmp_path, 7, epochs=2, batch_size=5)  # batches of 4 and 3
    for line in lines_of(tmp_path):
        assert line["share_of_the_first"] == pytest.approx(1 / 7)


def test_a_batch_tells_which_step_of_how_many_it_is_also_after_an_interruption(tmp_path):
    recorder = fit(tmp_path, 20, epochs=2, batch_size=8)
    assert recorder.places == [(step, 6) for step in range(6)]
    recorder = fit(tmp_path, 20, epochs=4, batch_size=8)
    assert recorder.places == [(step, 12) for step in range(6, 12)]


def test_one_case_is_too_few(tmp_path):
    with pytest.raises(DataError, match="needs at least two cases and has 1"):
        fit(tmp_path, 1, epochs=1)


def test_no_epochs_leave_fresh_weights(tmp_path):
    recorder = fit(tmp_path, 4, epochs=0)
    torch.manual_seed(0)
    fresh = GreyTower(16)
    for name, value in recorder.towers["greys"].state_dict().items():
        assert torch.equal(value, fresh.state_dict()[name])


def test_no_gradient_is_kept_when_training_has_ended(tmp_path):
    """Evaluation needs none, and they take as much memory as the network."""
    recorder = fit(tmp_path, 8, epochs=1)
    assert [one for one in recorder.parameters() if one.requires_grad]
    assert all(one.grad is None for one in recorder.parameters())


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_with_a_sentence_and_keeps_the_state_before(
    tmp_path, factor
):
    fit(tmp_path, 8, epochs=2)
    with pytest.raises(DataError) as caught:
        fit(tmp_path, 8, Recorder(factor), epochs=4)
    assert str(caught.value).startswith(f"The loss became {factor} in epoch 3.")
    assert "Lower pretrain.learning_rate" in str(caught.value)
    assert "check_" not in str(caught.value)
    assert checkpoint.load(PretrainPaths(tmp_path, "s").checkpoint)["epoch"] == 2
    assert [line["epoch"] for line in lines_of(tmp_path)] == [1, 2]


def test_a_learning_rate_far_too_high_stops_with_a_sentence(pictures, tmp_path):
    with pytest.raises(DataError, match=r"The loss became (nan|inf) in epoch \d"):
        small_study.train(pictures, tmp_path, ["pretrain.learning_rate=1e30"])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"schedule": "constant"}, [1, 1, 1, 1]),
        ({"schedule": "constant", "warmup_epochs": 2}, [0.5, 1, 1, 1]),
        ({"schedule": "cosine"}, [1, 0.5 + math.sqrt(0.125), 0.5, 0.5 - math.sqrt(0.125)]),
        ({"schedule": "cosine", "warmup_epochs": 2}, [0.5, 1, 1, 0.5]),
        ({"schedule": "constant", "warmup_epochs": 8}, [0.125, 0.25, 0.375, 0.5]),
    ],
)
def test_the_learning_rate_follows_its_schedule(tmp_path, settings, expected):
    fit(tmp_path, 4, epochs=4, learning_rate=0.01, **settings)
    rates = [line["learning_rate"] for line in lines_of(tmp_path)]
    assert rates == pytest.approx([0.01 * share for share in expected])


def test_one_step_of_sgd_is_the_one_computed_by_hand(tmp_path):
    settings = {"epochs": 1, "learning_rate": 0.1, "momentum": 0.0, "weight_decay": 0.5}
    torch.manual_seed(0)
    tower = GreyTower(16)
    before = tower.layer[0].bias.detach().clone()
    recorder = fit(tmp_path, 6, **settings)
    # A bias before batch normalisation has no gradient but the weight decay's.
    after = recorder.towers["greys"].layer[0].bias
    torch.testing.assert_close(after.detach(), before * (1 - 0.1 * 0.5), rtol=1e-4, atol=1e-6)


def test_parameters_that_are_frozen_stay_as_they_were(tmp_path):
    class Frozen(Recorder):
        def build(self, towers: Any, cases: int, generator: Any) -> None:
            super().build(towers, cases, generator)
            self.towers["greys"].layer[0].requires_grad_(False)

    recorder = fit(tmp_path, 6, Frozen(), epochs=2, learning_rate=0.1)
    torch.manual_seed(0)
    fresh = GreyTower(16)
    trained = recorder.towers["greys"].layer
    assert torch.equal(trained[0].weight, fresh.layer[0].weight)
    assert not torch.equal(trained[1].weight, fresh.layer[1].weight)


def test_training_leaves_the_global_generator_alone(tmp_path):
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    pretext = Recorder()
    pretext.build({"greys": GreyTower(16)}, 4, torch.Generator())
    torch.manual_seed(11)
    pretrain.fit(
        Task(
            pretext,
            {"greys": GreyView(GreyViewConfig())},
            {"greys": torch.rand(4, 16, generator=torch.Generator().manual_seed(0))},
            PretrainSettings(epochs=1),
            5,
        ),
        PretrainPaths(tmp_path, "s"),
    )
    assert torch.equal(torch.rand(3), expected)


def test_progress_counts_the_epochs_that_were_done_before(tmp_path):
    fit(tmp_path, 4, epochs=2)
    counted = small_study.Counted()
    recorder = Recorder()
    recorder.build({"greys": GreyTower(16)}, 4, torch.Generator())
    pretrain.fit(
        Task(
            recorder,
            {"greys": GreyView(GreyViewConfig())},
            {"greys": torch.rand(4, 16)},
            PretrainSettings(epochs=5),
            0,
        ),
        PretrainPaths(tmp_path, "s"),
        counted,
    )
    assert counted.totals == {"Pretraining": (5, 5)}
    assert len(recorder.batches) == 3
