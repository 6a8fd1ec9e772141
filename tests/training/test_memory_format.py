"""Layout, compiler and precision change how fast a network is trained, and not what it learns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from rdfc_core import StudyError
from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.interfaces import Tower
from rdfc_core.training import checkpoint
from rdfc_core.training.memory_format import laid_out, like_weights
from rdfc_core.training.metrics_log import PretrainPaths
from tests.support import small_study

CPU = torch.device("cpu")


class Pictures(Tower):
    """Convolutions over (2, H, W) or (2, Z, H, W)."""

    def __init__(self, axes: int) -> None:
        super().__init__()
        convolution = nn.Conv2d if axes == 3 else nn.Conv3d
        self.layers = nn.Sequential(convolution(2, 4, 3), nn.Flatten(), nn.LazyLinear(5))
        self.picture_shape = (2, *[6] * (axes - 1))
        self.out_features = 5
        self(torch.zeros(2, *self.picture_shape))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.layers(batch)


def losses(run: Path) -> list[float]:
    text = (run / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line)["loss"] for line in text.splitlines()]


@pytest.fixture(scope="module")
def plain(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """The loss of each epoch, in single precision, contiguous, not compiled."""
    run = tmp_path_factory.mktemp("plain")
    small_study.train(pictures, run, ["pretrain.channels_last=false"])
    return losses(run)


@pytest.mark.parametrize(
    ("overrides", "tolerance"),
    [
        (["channels_last=true"], 1e-4),
        (["channels_last=null"], 1e-4),
        (["channels_last=true", "precision=bf16-mixed"], 0.02),
        (["channels_last=true", "compile=default"], 1e-4),
    ],
)
def test_the_loss_curve_is_the_same_within_tolerance(
    plain, pictures, tmp_path, overrides, tolerance
):
    small_study.train(pictures, tmp_path, [f"pretrain.{one}" for one in overrides])
    assert losses(tmp_path) == pytest.approx(plain, rel=tolerance)


@pytest.mark.parametrize(
    ("axes", "chosen", "expected"),
    [(3, None, True), (3, True, True), (3, False, False), (4, True, True), (4, None, False)],
)
def test_pictures_on_a_processor_are_channels_last_and_what_is_asked_for_is_done(
    axes, chosen, expected
):
    tower = Pictures(axes)
    weight = tower.layers[0].weight
    own = torch.channels_last if axes == 3 else torch.channels_last_3d
    settings: dict[str, Any] = {"channels_last": chosen}
    with laid_out([tower], PretrainSettings(**settings), CPU):
        assert weight.is_contiguous(memory_format=own) == expected
        assert weight.is_contiguous() != expected
    assert weight.is_contiguous()
    assert tower.layers[0].weight is weight  # the optimiser's


@pytest.mark.parametrize("make", [torch.optim.AdamW, torch.optim.SGD])
def test_what_an_optimiser_remembers_lies_as_its_weights_do_and_is_the_same(make):
    tower = Pictures(3)
    options = {"momentum": 0.9} if make is torch.optim.SGD else {}
    optimizer = make(tower.parameters(), lr=0.1, **options)
    tower(torch.rand(4, 2, 6, 6)).sum().backward()
    optimizer.step()
    weight = tower.layers[0].weight
    before = {k: v.clone() for k, v in optimizer.state[weight].items()}
    with laid_out([tower], PretrainSettings(channels_last=True), CPU):
        like_weights(optimizer)
    after = optimizer.state[weight]
    assert any(
        value.is_contiguous(memory_format=torch.channels_last)
        for value in after.values()
        if value.ndim == 4
    )
    for name, value in before.items():
        assert torch.equal(value, after[name])


def test_a_compiled_tower_is_itself_again_afterwards():
    tower = Pictures(3).train()
    batch = torch.rand(4, 2, 6, 6)
    with laid_out([tower], PretrainSettings(compile="default"), CPU):
        assert "forward" in vars(tower)
        within = tower(batch)
    assert "forward" not in vars(tower)
    torch.testing.assert_close(within, tower(batch))


def test_without_a_compiler_the_option_is_refused_with_a_sentence(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("no-such-compiler",))
    torch.compiler.reset()
    with pytest.raises(StudyError, match=r"pretrain\.compile: .*Leave the option out\."):
        small_study.train(pictures, tmp_path, ["pretrain.compile=default"])


def test_interrupted_in_another_layout_it_goes_on_to_the_last_bit(pictures, tmp_path):
    options = ["pretrain.channels_last=true", "pretrain.optimizer=adamw"]
    small_study.train(pictures, tmp_path / "whole", [*options, "pretrain.epochs=4"])
    for epochs in (2, 4):
        small_study.train(pictures, tmp_path / "parts", [*options, f"pretrain.epochs={epochs}"])
    one, other = (
        checkpoint.load(PretrainPaths(tmp_path / run, "holdout").checkpoint)
        for run in ("whole", "parts")
    )
    for name, value in one["pretext"].items():
        assert torch.equal(value, other["pretext"][name]), name
