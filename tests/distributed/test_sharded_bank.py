"""A bank spread over two processes is the bank of one, at half of its memory."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import pytest
import torch

from rdfc_core import ShapeError
from rdfc_core.config.resolve import resolve_part
from rdfc_core.distributed.launcher import ProcessGroupLauncher
from rdfc_core.interfaces import MemoryStore
from rdfc_core.plugin.component import Part
from rdfc_core.plugin.registry import Registry
from tests.support import many_processes, small_study
from tests.support.many_processes import STILL, losses, state

SHARDED = "pretext.memory=sharded-bank"


@pytest.fixture(scope="module")
def launcher() -> Iterator[ProcessGroupLauncher]:
    with ProcessGroupLauncher.on_this_machine(2, patience_s=60) as started:
        yield started


def memory(registry: Registry, name: str) -> MemoryStore:
    return resolve_part("memory_store", Part(name=name), registry, "memory").build(registry)


def test_every_call_gives_what_a_bank_of_one_process_gives(registry, launcher):
    sharded, whole = memory(registry, "sharded-bank"), memory(registry, "bank")
    expected = many_processes.use_memory(whole)
    alone = many_processes.use_memory(deepcopy(sharded))
    with launcher.at_work(many_processes.use_sharded_bank, sharded):
        found = many_processes.use_memory(sharded)
    assert sum(len(buffer) for buffer in sharded.buffers()) == many_processes.ROWS // 2
    for name, value in expected.items():
        for other in (found[name], alone[name]):
            assert torch.equal(value, other) or torch.allclose(value, other, atol=1e-6), name
    assert torch.equal(found["first"], expected["first"])  # drawn in blocks, and the same rows
    with pytest.raises(ShapeError, match="kept 10000 of 20001"):
        sharded.read(torch.tensor([0]))


def test_a_checkpoint_of_all_rows_is_divided_anew(registry, launcher):
    whole = memory(registry, "sharded-bank")
    many_processes.use_memory(whole)
    content = whole.state_dict()
    sharded = memory(registry, "sharded-bank")
    with launcher.at_work(many_processes.keep_half, sharded, content):
        assert many_processes.keep_half(None, sharded, content) == 10_000
    alone = memory(registry, "sharded-bank")
    assert many_processes.keep_half(None, alone, content) == many_processes.ROWS


def test_rows_that_were_drawn_alone_are_divided_when_others_join(registry, launcher):
    sharded = memory(registry, "sharded-bank")
    sharded.allocate(10, 4, torch.Generator().manual_seed(0))
    rows = sharded.read(torch.arange(10))
    with launcher.at_work(many_processes.read_all, sharded):
        assert torch.equal(many_processes.read_all(None, sharded), rows)


@pytest.mark.parametrize("variant", ["stale-positive", "full-bank"])
def test_training_with_it_loses_what_the_bank_of_one_process_loses(
    pictures, tmp_path, launcher, variant
):
    chosen = [STILL, "pretrain.epochs=3", f"objective.variant={variant}"]
    sharded = [SHARDED, "pretext.memory.momentum=0"]  # as the preset's memory has
    small_study.train(pictures, tmp_path / "one", chosen)
    small_study.train(pictures, tmp_path / "two", [*chosen, *sharded], launcher=launcher)
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=2e-5)
    one, two = state(tmp_path / "one", "pretext"), state(tmp_path / "two", "pretext")
    banks = [name for name in one if name.startswith("memories.")]
    assert len(banks) == 3
    for name in banks:
        own = two[name.replace(".bank", ".own.bank")]
        torch.testing.assert_close(one[name], own, rtol=1e-3, atol=1e-4)


def test_it_resumes_in_two_processes_as_if_it_had_not_stopped(pictures, tmp_path, launcher):
    for epochs in (1, 3):
        small_study.train(
            pictures, tmp_path / "twice", [SHARDED, f"pretrain.epochs={epochs}"], launcher=launcher
        )
    small_study.train(
        pictures, tmp_path / "once", [SHARDED, "pretrain.epochs=3"], launcher=launcher
    )
    assert losses(tmp_path / "twice") == losses(tmp_path / "once")
    one, other = state(tmp_path / "once", "pretext"), state(tmp_path / "twice", "pretext")
    assert all(torch.equal(one[name], other[name]) for name in one)
