"""Networks that labels train: what is frozen, what begins afresh, how fast each part learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from rdfc_core import DataError, StudyError
from rdfc_core.config.supervised_settings import SupervisedSettings, Tuning
from rdfc_core.evaluation import finetuning
from rdfc_core.evaluation.classifiers import LogisticProbe
from rdfc_core.models.hybrid import Hybrid, predict
from rdfc_core.models.layer_groups import Plan, plan
from tests.support import small_setup

TRUTH = np.arange(24) % 2
SETTINGS = SupervisedSettings(epochs=2, batch_size=8, learning_rate=0.05)


@pytest.fixture(scope="module")
def setup() -> Any:
    return small_setup.setup(small_setup.noise(24, 0), TRUTH, train=24)


def build(
    setup: Any, tuning: str | Tuning | None, seed: int = 0, **options: Any
) -> tuple[Hybrid, Plan | None]:
    settings = SETTINGS.model_copy(update=options)
    towers = {name: view.tower() for name, view in setup.initialisation.views.items()}
    chosen = None if tuning is None else plan(Tuning.model_validate(tuning), towers)
    return setup.initialisation.network(["radiomics", "image"], settings, seed, chosen), chosen


def fit(
    setup: Any,
    net: Hybrid,
    chosen: Plan | None,
    seed: int = 0,
    probe: LogisticProbe | None = None,
    **options: Any,
) -> Hybrid:
    settings = type(SETTINGS).model_validate({**SETTINGS.model_dump(), **options})
    views = setup.initialisation.views
    finetuning.fit(net, views, setup.cases, TRUTH, settings, "32-true", True, seed, chosen, probe)
    return net


def tower(net: Hybrid, view: str) -> nn.Module:
    return net.towers[net.views.index(view)]


def same(a: nn.Module, b: nn.Module) -> bool:
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


def test_scratch_is_fresh_and_fine_tuning_begins_with_what_the_pretext_learnt(setup):
    learnt = setup.initialisation.trained.encoders()
    scratch, tuned = build(setup, None)[0], build(setup, "all")[0]
    for view in ("radiomics", "image"):
        assert same(tower(tuned, view), learnt[view])
        assert not same(tower(scratch, view), learnt[view])
    assert same(scratch.head, tuned.head)  # the same fresh head for the same seed
    assert not same(build(setup, None, seed=1)[0].head, scratch.head)


def test_groups_begin_afresh_with_the_weights_that_scratch_has(setup):
    learnt = setup.initialisation.trained.encoders()["radiomics"]
    tuned = tower(build(setup, {"name": "own", "reinit": ["radiomics.last-2"]})[0], "radiomics")
    fresh = tower(build(setup, None)[0], "radiomics")
    assert same(tuned.layer1, learnt.layer1)
    for layer in ("layer2", "layer3"):
        assert same(getattr(tuned, layer), getattr(fresh, layer))
        assert not same(getattr(tuned, layer), getattr(learnt, layer))


def test_training_leaves_the_pretext_as_it_was(setup):
    before = small_setup.parameters(setup.initialisation.trained)
    net, chosen = build(setup, "all")
    fit(setup, net, chosen)
    assert all(
        torch.equal(v, setup.initialisation.trained.state_dict()[k]) for k, v in before.items()
    )


def test_frozen_groups_keep_weights_and_batch_statistics_and_the_rest_learns(setup):
    net, chosen = build(setup, {"name": "own", "freeze": ["radiomics.layer1", "image"]})
    before = small_setup.parameters(net)
    fit(setup, net, chosen)
    for key, value in net.state_dict().items():
        frozen = key.startswith(("towers.0.layer1", "towers.1"))
        assert torch.equal(value, before[key]) == frozen, key


def test_frozen_layers_stay_in_evaluation_mode_in_training(setup):
    net, _ = build(setup, {"name": "own", "freeze": ["radiomics.layer1"]})
    net.train()
    radiomics = tower(net, "radiomics")
    assert not any(module.training for module in radiomics.layer1.modules())
    assert all(module.training for module in radiomics.layer2.modules())
    # Its dropout is off and its batch statistics are those that it came with.
    rows = setup.cases["radiomics"][:8]
    assert torch.equal(radiomics.layer1(rows), radiomics.layer1(rows))


def test_without_anything_frozen_batch_statistics_move(setup):
    net, chosen = build(setup, "all")
    before = small_setup.parameters(net)
    fit(setup, net, chosen)
    moved = [k for k, v in net.state_dict().items() if not torch.equal(v, before[k])]
    assert set(moved) == set(before)


def test_a_first_step_of_sgd_is_as_long_as_its_group_s_factor_says(setup):
    options = {"epochs": 1, "batch_size": 64, "momentum": 0.0, "weight_decay": 0.0}
    steps = []
    for scale in ({}, {"radiomics.layer3": 0.1, "head": 3.0}):
        own = {"name": "own", "freeze": [], "lr_scale": {**scale, "image.0": 1.0}}
        net, chosen = build(setup, own)
        before = small_setup.parameters(net)
        fit(setup, net, chosen, **options)
        steps.append({k: v - before[k] for k, v in net.state_dict().items() if "weight" in k})
    for key, plain in steps[0].items():
        factor = 0.1 if "towers.0.layer3" in key else 3.0 if key.startswith("head") else 1.0
        torch.testing.assert_close(steps[1][key], factor * plain, rtol=1e-4, atol=2e-7)


def test_the_learning_rate_falls_to_a_tenth_where_it_should(setup, monkeypatch):
    rates = []
    made = finetuning.optimizer_for

    def spied(*args: Any) -> Any:
        optimizer = made(*args)
        step = optimizer.step

        def noted(*a: Any, **k: Any) -> Any:
            rates.append(optimizer.param_groups[0]["lr"])
            return step(*a, **k)

        optimizer.step = noted
        return optimizer

    monkeypatch.setattr(finetuning, "optimizer_for", spied)
    fit(setup, build(setup, None)[0], None, epochs=10, batch_size=64)
    assert rates == pytest.approx([0.05] * 7 + [0.005] * 3)


def test_logits_are_the_head_on_unit_length_features(setup):
    net = build(setup, None)[0].eval()
    features = [nn.functional.normalize(tower(net, name)(setup.cases[name])) for name in net.views]
    joined = torch.cat(features, dim=1)
    assert joined.shape == (24, 24 + 16)
    expected = joined @ net.head.classes.weight.T + net.head.classes.bias
    torch.testing.assert_close(net(setup.cases), expected)
    said = predict(net, setup.cases)
    np.testing.assert_allclose(said, torch.softmax(expected, 1).detach().numpy(), rtol=1e-5)


def test_raw_features_stand_before_the_head_at_unit_length_beside_those_of_the_towers(setup):
    net = build(setup, None, raw_features=True)[0].eval()
    pieces = [tower(net, name)(setup.cases[name]) for name in net.views]
    pieces.append(setup.cases["radiomics"])
    joined = torch.cat([nn.functional.normalize(piece) for piece in pieces], dim=1)
    assert joined.shape == (24, 24 + 16 + small_setup.FEATURES)
    expected = joined @ net.head.classes.weight.T + net.head.classes.bias
    torch.testing.assert_close(net(setup.cases), expected)
    settings = SupervisedSettings(raw_features=True)
    alone = setup.initialisation.network(["image"], settings, 0, None)
    assert alone.head.widths == [16]  # a picture has no handcrafted features


def test_a_head_on_the_embeddings_is_one_layer_and_the_projections_learn(setup):
    net, chosen = build(setup, "all", head="embedding")
    assert net.head.classes.in_features == 5 + 5
    assert isinstance(net.head.branches[0], nn.Identity)
    before = small_setup.parameters(net)
    fit(setup, net, chosen)
    projection = "projector.projections.image.weight"
    assert not torch.equal(net.state_dict()[projection], before[projection])
    trained = setup.initialisation.trained
    assert torch.equal(trained.state_dict()["projections.image.weight"], before[projection])
    scratch, _ = build(setup, None, head="embedding")
    assert not torch.equal(scratch.state_dict()[projection], before[projection])


def test_a_head_on_embeddings_that_there_are_not_is_refused(setup, monkeypatch):
    monkeypatch.setattr(small_setup.Towers, "embed", lambda self, features: {})
    with pytest.raises(StudyError, match="no embeddings for a head"):
        build(setup, "all", head="embedding")


def test_the_same_seed_trains_the_same_network_whatever_the_global_generator_is(setup):
    chosen = build(setup, "paper")[1]
    said = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(said))
        before = torch.get_rng_state()
        net = setup.initialisation.network(["radiomics", "image"], SETTINGS, seed, chosen)
        fit(setup, net, chosen, seed)
        assert torch.equal(torch.get_rng_state(), before)
        said.append(predict(net, setup.cases))
    np.testing.assert_array_equal(said[0], said[1])
    assert not np.array_equal(said[0], said[2])


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_what_can_be_memorised_is(setup, optimizer):
    rate = {"sgd": 0.3, "adamw": 0.02}[optimizer]
    net = build(setup, None)[0]
    fit(setup, net, None, epochs=60, optimizer=optimizer, learning_rate=rate)
    said = predict(net, setup.cases)
    assert (said.argmax(axis=1) == TRUTH).mean() > 0.85


def test_a_loss_that_is_not_finite_is_named(setup):
    with pytest.raises(DataError, match=r"loss of training with labels became (nan|inf) by step"):
        fit(setup, build(setup, None)[0], None, learning_rate=1e30, epochs=20)


@pytest.mark.parametrize("options", [{}, {"head": "embedding"}, {"raw_features": True}])
def test_a_head_begins_with_the_probe_on_what_it_stands_on(setup, options):
    own = {"name": "own", "head_init": "probe"}
    net, chosen = build(setup, own, **options)
    assert chosen is not None
    assert chosen.probed
    probe = LogisticProbe(small_setup.SETTINGS)
    fit(setup, net, chosen, probe=probe, epochs=0)
    with torch.no_grad():
        seen = net.seen({name: setup.cases[name] for name in net.views}).numpy()
    said = predict(net, setup.cases)
    np.testing.assert_allclose(said, probe.predict({"seen": seen}), atol=1e-5)
    assert (said.argmax(1) == TRUTH).mean() > 0.7  # of the cases that it learned from
    if not options:
        learnt = LogisticProbe(small_setup.SETTINGS)
        learnt.fit(setup.learnt, TRUTH, 2)
        np.testing.assert_allclose(said, learnt.predict(setup.learnt), atol=1e-4)
    fit(setup, net, chosen, probe=LogisticProbe(small_setup.SETTINGS))
    assert not np.allclose(predict(net, setup.cases), said, atol=1e-3)
