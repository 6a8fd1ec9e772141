"""Optimisers as a study names them: core's own are torch's, and a plugin's options are its own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rdfc_core import PluginError, StudyError
from rdfc_core.config.load import load
from rdfc_core.config.supervised_settings import SupervisedSettings
from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.plugin.registry import installed
from rdfc_core.training.optim import optimizer_for
from rdfc_core.training.schedule import schedule_for


def weights() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(size, generator=generator)) for size in (7, 3)]


def trained(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    own = [one for group in optimizer.param_groups for one in group["params"]]
    for _ in range(5):
        for one in own:
            one.grad = torch.randn(one.shape, generator=generator)
        optimizer.step()
    return [one.detach() for one in own]


SETTINGS = {"learning_rate": 0.02, "weight_decay": 0.03, "momentum": 0.8}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"optimizer": "sgd", "nesterov": True},
            lambda groups: torch.optim.SGD(
                groups, lr=0.02, momentum=0.8, weight_decay=0.03, nesterov=True
            ),
        ),
        (
            {"optimizer": "sgd", "nesterov": True, "momentum": 0},
            lambda groups: torch.optim.SGD(groups, lr=0.02, momentum=0, weight_decay=0.03),
        ),
        (
            {"optimizer": "adamw"},
            lambda groups: torch.optim.AdamW(groups, lr=0.02, weight_decay=0.03, fused=True),
        ),
        (
            {"optimizer": {"name": "adamw", "weight_decay": 0.5}},
            lambda groups: torch.optim.AdamW(groups, lr=0.02, weight_decay=0.5, fused=True),
        ),
    ],
    ids=["sgd", "sgd-without-momentum", "adamw", "adamw-with-its-own-decay"],
)
def test_core_s_own_take_the_steps_of_torch_s_to_the_bit(settings, expected):
    found = []
    for make in (
        lambda groups: optimizer_for(groups, PretrainSettings(**{**SETTINGS, **settings})),
        expected,
    ):
        first, second = weights()
        found.append(trained(make([{"params": [first]}, {"params": [second], "lr": 0.1}])))
    for ours, theirs in zip(*found, strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_study_still_says_its_optimiser_in_a_word(optimizer):
    overrides = [f"pretrain.optimizer={optimizer}", "evaluate.supervised.schedule=step"]
    study = load({"dataset": "phantom"}, overrides, installed())
    said = study.dump()
    assert said["pretrain"]["optimizer"] == optimizer
    assert said["evaluate"]["supervised"]["schedule"] == "step"
    assert {"momentum", "weight_decay"} <= said["pretrain"].keys()
    assert load(said, [], installed()).dump() == said
    assert ("optimizer", optimizer) in {(part.kind, part.name) for part in study.parts()}


def test_options_with_the_name_go_before_those_beside_it():
    overrides = ["pretrain.optimizer=sgd:momentum=0.5", "pretrain.momentum=0.1"]
    study = load({"dataset": "phantom"}, overrides, installed())
    assert study.dump()["pretrain"]["optimizer"] == {"name": "sgd", "momentum": 0.5}
    optimizer = optimizer_for([{"params": weights()}], study.pretrain)
    assert optimizer.param_groups[0]["momentum"] == 0.5
    assert optimizer.param_groups[0]["weight_decay"] == study.pretrain.weight_decay


@pytest.mark.parametrize(
    ("override", "error", "said"),
    [
        ("pretrain.optimizer=adam", PluginError, "no optimizer 'adam'. Did you mean 'adamw'"),
        ("pretrain.schedule=stable", PluginError, "Pretraining also has warmup-stable-decay."),
        ("evaluate.supervised.schedule=warmup-stable-decay", PluginError, "There is no schedule"),
        (
            "pretrain.schedule=warmup-stable-decay:share=0.2",
            StudyError,
            "pretrain.schedule: warmup-stable-decay has no options of its own",
        ),
        (
            "evaluate.supervised.optimizer=sgd:momentun=0.2",
            StudyError,
            "evaluate.supervised.optimizer.momentun: there is no such option",
        ),
        ("pretrain.optimizer=sgd:momentum=2", StudyError, "pretrain.optimizer.momentum: "),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path_or_what_there_is(override, error, said):
    with pytest.raises(error) as caught:
        load({"dataset": "phantom"}, [override], installed())
    assert said in str(caught.value)


def test_a_schedule_has_its_milestone_from_beside_its_name_or_with_it():
    for settings in ({"lr_milestone": 0.5}, {"schedule": "step:lr_milestone=0.5"}):
        schedule = schedule_for(SupervisedSettings(**{"schedule": "step", **settings}))
        assert [schedule.factor(step, 4) for step in range(4)] == [1, 1, 0.1, 0.1]
    cosine = schedule_for(SupervisedSettings(schedule="cosine"))
    assert cosine.factor(2, 4) == pytest.approx(0.5)
