"""A task with teachers and queues: what is trained, what is saved, and that it resumes exactly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from safetensors.torch import load_file

from rdfc_core.distributed.launcher import ProcessGroupLauncher
from rdfc_core.models.members import training_keys
from rdfc_core.training import checkpoint
from rdfc_core.training.metrics_log import PretrainPaths
from tests.support import small_study
from tests.support.many_processes import STILL, flat, losses, state
from tests.support.small_study import MOCO_STUDY


@pytest.fixture(scope="module")
def launcher() -> Iterator[ProcessGroupLauncher]:
    with ProcessGroupLauncher.on_this_machine(2, patience_s=60) as started:
        yield started


@pytest.fixture(scope="module", params=["sgd", "adamw"])
def in_one_go(request, pictures, tmp_path_factory):
    run, overrides = tmp_path_factory.mktemp("moco"), [f"pretrain.optimizer={request.param}"]
    return run, overrides, small_study.train(pictures, run, overrides, base=MOCO_STUDY)


def test_it_trains_and_teachers_follow_without_being_trained(in_one_go):
    run, _, pretext = in_one_go
    assert losses(run)[-1] < losses(run)[0]
    for name in ("radiomics", "image", "greys"):
        student = dict(pretext.towers[name].named_parameters())
        for key, value in pretext.teachers[name].tower.named_parameters():
            assert not value.requires_grad
            assert not torch.equal(value, student[key])
    trained = sum(1 for one in pretext.parameters() if one.requires_grad)
    assert len(state(run, "optimizer")["state"]) <= trained
    assert len(state(run, "optimizer")["param_groups"][0]["params"]) == trained
    assert trained < sum(1 for _ in pretext.parameters())


def test_queues_hold_the_newest_keys_of_the_last_epoch(in_one_go):
    _, _, pretext = in_one_go
    for queue in pretext.queues.values():
        cases, rows = queue.read()
        assert len(cases) == len(set(cases.tolist())) == 20  # an epoch shows each of 36 once
        assert rows.norm(dim=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("stops", [(2,), (1, 4)], ids=str)
def test_interrupted_it_ends_exactly_as_if_it_had_not_been(in_one_go, pictures, tmp_path, stops):
    run, overrides, _ = in_one_go
    for epochs in (*stops, 6):
        chosen = [*overrides, f"pretrain.epochs={epochs}"]
        small_study.train(pictures, tmp_path, chosen, base=MOCO_STUDY)
    assert losses(tmp_path) == losses(run)
    one, other = (
        flat(checkpoint.load(PretrainPaths(folder, "holdout").checkpoint))
        for folder in (run, tmp_path)
    )
    assert [key for key in one if ".teachers." in key]
    assert [key for key in one if ".queues." in key]
    # A shorter budget measures once more, where it ends.
    lasting = {key for key in one if not key.startswith(".convergence")}
    assert lasting == {key for key in other if not key.startswith(".convergence")}
    for key in lasting:
        value = one[key]
        same = torch.equal if isinstance(value, torch.Tensor) else lambda a, b: a == b
        assert same(value, other[key]), key


def test_two_processes_lose_what_one_loses(pictures, tmp_path, launcher):
    chosen = [STILL, "pretrain.epochs=3"]
    for folder, together in (("one", None), ("two", launcher)):
        small_study.train(pictures, tmp_path / folder, chosen, launcher=together, base=MOCO_STUDY)
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=2e-5)
    one, two = (state(tmp_path / folder, "pretext") for folder in ("one", "two"))
    for key, value in one.items():
        if key.startswith(("teachers.", "queues.")):
            torch.testing.assert_close(two[key], value, rtol=1e-3, atol=1e-4)


def test_a_model_is_saved_without_queues_and_without_the_towers_of_teachers(pictures, tmp_path):
    small_study.run_study(
        pictures, tmp_path / "run", tmp_path / "store.sqlite", small_study.QUICK, base=MOCO_STUDY
    )
    arrays = load_file(tmp_path / "run" / "model" / "holdout" / "weights.safetensors")
    assert not [key for key in arrays if ".queues." in key or "teachers.image.tower" in key]
    assert [key for key in arrays if key.startswith("pretext.towers.image")]


def test_what_training_alone_needs_is_named(in_one_go):
    keys = training_keys(in_one_go[2])
    assert {"queues.image.keys", "queues.image.cases", "queues.greys.next_place"} <= keys
    assert [key for key in keys if key.startswith("teachers.radiomics.tower.")]
    assert not [key for key in keys if key.startswith(("towers.", "projections."))]
