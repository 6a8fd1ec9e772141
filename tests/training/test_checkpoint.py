"""Checkpoints: what is saved comes back, and a damaged file never costs the last good state."""

from __future__ import annotations

import io
import pickletools
from multiprocessing.context import ForkServerContext as Processes
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from rdfc_core import DataError
from rdfc_core.training import checkpoint
from tests.support import jobs

STATE = {
    "epoch": 3,
    "rate": 0.1,
    "name": "fold-1",
    "nothing": None,
    "flags": [True, False],
    "nested": {"a": {"b": [torch.arange(6).reshape(2, 3), {"c": torch.tensor(2.5)}]}},
    7: "a whole number is a key",
    "empty": {"list": [], "mapping": {}, "tensor": torch.zeros(0, 4)},
    "types": [
        torch.tensor([1.5], dtype=torch.bfloat16),
        torch.tensor([True, False]),
        torch.tensor([255], dtype=torch.uint8),
        torch.tensor([float("nan"), float("inf")]),
    ],
    "infinite": float("inf"),
}


def assert_equal(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            assert_equal(a[key], b[key])
    elif isinstance(a, list):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_equal(one, other)
    elif isinstance(a, torch.Tensor):
        torch.testing.assert_close(a, b, rtol=0, atol=0, equal_nan=True)
    else:
        assert a == b


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints" / "holdout.safetensors"


def test_any_nesting_comes_back_as_it_was(path):
    checkpoint.save(path, STATE)
    assert_equal(checkpoint.load(path), STATE)


def test_tensors_that_share_memory_or_are_transposed_come_back(path):
    whole = torch.arange(12.0).reshape(3, 4)
    checkpoint.save(path, {"row": whole[1], "turned": whole.T, "same": whole})
    found = checkpoint.load(path)
    assert torch.equal(found["row"], whole[1])
    assert torch.equal(found["turned"], whole.T)


@pytest.mark.parametrize("make", [torch.optim.AdamW, torch.optim.SGD])
def test_the_state_of_an_optimiser_goes_on_where_it_was(path, make):
    def step(network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        network(torch.ones(2, 3)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()

    torch.manual_seed(0)
    network = nn.Linear(3, 2)
    optimizer = make(network.parameters(), lr=0.1, weight_decay=0.01)
    step(network, optimizer)
    checkpoint.save(
        path, {"network": dict(network.state_dict()), "optimizer": optimizer.state_dict()}
    )
    step(network, optimizer)
    state = checkpoint.load(path)
    other = nn.Linear(3, 2)
    other.load_state_dict(state["network"])
    again = make(other.parameters(), lr=9.0)
    again.load_state_dict(state["optimizer"])
    step(other, again)
    assert torch.equal(other.weight, network.weight)


def test_there_is_nothing_to_load_where_nothing_was_saved(path):
    assert checkpoint.load(path) is None


def test_the_checkpoint_before_is_kept_and_no_partial_file_is_left(path):
    for epoch in range(4):
        checkpoint.save(path, {"epoch": epoch})
    assert checkpoint.load(path) == {"epoch": 3}
    assert sorted(file.name for file in path.parent.iterdir()) == [
        path.name,
        f"previous-{path.name}",
    ]
    path.unlink()  # as after a crash between the two renamings
    assert checkpoint.load(path) == {"epoch": 2}


def saved_twice(path: Path) -> bytes:
    checkpoint.save(path, {"epoch": 1, "weights": torch.arange(1000.0)})
    checkpoint.save(path, {"epoch": 2, "weights": torch.arange(1000.0) + 1})
    return path.read_bytes()


@pytest.mark.parametrize("kept", [0, 1, 8, 100, 0.5, 0.999])
def test_the_one_before_is_used_where_the_newest_is_cut(path, kept, caplog):
    whole = saved_twice(path)
    path.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    assert checkpoint.load(path)["epoch"] == 1
    assert "is damaged" in caplog.text
    assert "the one before it is used" in caplog.text


def test_the_one_before_is_used_wherever_a_bit_of_the_newest_is_turned_over(path):
    whole = saved_twice(path)
    header = 8 + int.from_bytes(whole[:8], "little")
    noticed = 0
    for place in [*range(0, header, 3), header, (header + len(whole)) // 2, len(whole) - 1]:
        turned = bytearray(whole)
        turned[place] ^= 0b100
        path.write_bytes(turned)
        found = checkpoint.load(path)
        if found["epoch"] == 1:
            noticed += 1
        else:  # a blank of the header's padding, say: nothing that was saved is different
            assert_equal(found, {"epoch": 2, "weights": torch.arange(1000.0) + 1})
            assert place < header
    assert noticed > header / 3 - 10


def test_damage_with_nothing_before_it_is_said_with_what_to_do(path):
    checkpoint.save(path, {"epoch": 1})
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match=r"holdout\.safetensors is damaged .* Delete it"):
        checkpoint.load(path)


def test_a_file_that_is_no_checkpoint_is_damaged_not_trusted(path):
    path.parent.mkdir()
    torch.save({"epoch": 1}, path)  # a pickle: must not even be opened as one
    with pytest.raises(DataError, match="is damaged"):
        checkpoint.load(path)


def test_a_checkpoint_nested_beyond_all_measure_is_damaged(path):
    path.parent.mkdir()
    skeleton, tensors = "[" * 100_000, {"0": torch.zeros(1)}
    about = {"skeleton": skeleton, "sha256": checkpoint._digest(skeleton, tensors)}
    save_file(tensors, path, metadata=about)
    with pytest.raises(DataError, match="is damaged"):
        checkpoint.load(path)


def test_nothing_is_pickled(path):
    checkpoint.save(path, STATE)
    with pytest.raises(ValueError):  # noqa: PT011  (pickletools gives several messages)
        pickletools.dis(path.read_bytes(), out=io.StringIO())
    with safe_open(path, framework="pt") as file:
        assert set(file.metadata()) == {"skeleton", "sha256"}


def test_what_cannot_be_kept_without_pickle_is_refused(path):
    checkpoint.save(path, {"epoch": 1})
    with pytest.raises(TypeError, match="a checkpoint holds no Linear"):
        checkpoint.save(path, {"network": nn.Linear(2, 2)})
    assert checkpoint.load(path) == {"epoch": 1}


def test_a_process_killed_while_saving_leaves_a_good_checkpoint(path, processes: Processes):
    for wait in (0.0, 0.013, 0.05):
        ours, theirs = processes.Pipe(duplex=False)
        process = processes.Process(target=jobs.save_for_ever, args=(path, theirs))
        process.start()
        theirs.close()
        ours.recv()
        jobs.time.sleep(wait)
        process.kill()
        process.join()
        state = checkpoint.load(path)
        assert torch.equal(state["weights"], torch.full((100_000,), float(state["epoch"])))


def test_a_full_disk_keeps_the_last_good_checkpoint(small_disk):
    path = small_disk("1m") / "holdout.safetensors"
    checkpoint.save(path, {"epoch": 1, "weights": torch.zeros(100_000)})
    with pytest.raises(DataError, match=r"could not be written.*The last good one is kept"):
        checkpoint.save(path, {"epoch": 2, "weights": torch.zeros(200_000)})
    assert checkpoint.load(path)["epoch"] == 1
    assert [file.name for file in path.parent.iterdir()] == [path.name]
