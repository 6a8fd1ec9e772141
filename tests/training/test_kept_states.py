"""A finished run keeps no more of its pretraining than a larger budget goes on from."""

from __future__ import annotations

import pytest
import torch

from rdfc_core.training import checkpoint, kept_states
from tests.support.small_study import train

STABLE = ("pretrain.schedule=warmup-stable-decay", "pretrain.warmup_steps=2")


def weights(pretext):
    return torch.cat([value.double().ravel() for value in pretext.state_dict().values()])


def names(run):
    return {path.name for path in (run / "checkpoints").iterdir()}


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_shrunken_training_is_extended_as_if_it_had_been_kept(pictures, tmp_path, optimizer):
    own = (*STABLE, f"pretrain.optimizer={optimizer}")
    small, large = (*own, "pretrain.epochs=6"), (*own, "pretrain.epochs=10")
    ended = weights(train(pictures, tmp_path / "a", small))
    assert "previous-holdout.safetensors" in names(tmp_path / "a")
    path = tmp_path / "a" / "checkpoints" / "holdout.safetensors"
    before = path.stat().st_size
    kept_states.shrink(tmp_path / "a")
    assert names(tmp_path / "a") == {"holdout.safetensors", "holdout.stable.safetensors"}
    # Half of a state by SGD with momentum is the momentum; of Adam's, two thirds.
    assert path.stat().st_size < (0.7 if optimizer == "sgd" else 0.5) * before
    assert torch.equal(weights(train(pictures, tmp_path / "a", small)), ended)
    extended = weights(train(pictures, tmp_path / "a", large))
    assert torch.equal(extended, weights(train(pictures, tmp_path / "b", large)))


def test_a_training_that_a_longer_fall_of_the_learning_rate_extends_goes_on_from_its_beginning(
    pictures, tmp_path
):
    # Its task counts as learnt at once; what is left of 4 epochs is less than the fall may take.
    learnt = (*STABLE, "pretrain.patience=1", "pretrain.learning_rate=1e-9")
    learnt += ("pretrain.check_steps=1", "pretrain.decay_share=0.7")
    small, large = (*learnt, "pretrain.epochs=4"), (*learnt, "pretrain.epochs=40")
    train(pictures, tmp_path / "a", small)
    kept_states.shrink(tmp_path / "a")
    extended = weights(train(pictures, tmp_path / "a", large))
    assert torch.equal(extended, weights(train(pictures, tmp_path / "b", large)))
    last = checkpoint.load(tmp_path / "a" / "checkpoints" / "holdout.safetensors")
    assert last["epoch"] > 4


def test_without_a_state_before_the_fall_the_last_one_is_kept_whole(pictures, tmp_path):
    constant = ("pretrain.schedule=constant", "pretrain.epochs=4")
    train(pictures, tmp_path, constant)
    kept_states.shrink(tmp_path)
    assert names(tmp_path) == {"holdout.safetensors"}
    state = checkpoint.load(tmp_path / "checkpoints" / "holdout.safetensors")
    assert state["optimizer"]["state"]


def test_the_state_before_a_damaged_one_stays(pictures, tmp_path):
    train(pictures, tmp_path, (*STABLE, "pretrain.epochs=6"))
    path = tmp_path / "checkpoints" / "holdout.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    kept_states.shrink(tmp_path)
    assert "previous-holdout.safetensors" in names(tmp_path)
    assert path.read_bytes() == content
