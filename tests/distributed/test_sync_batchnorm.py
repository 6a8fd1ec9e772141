"""Batch normalisation over processes: in a group of one it is what a single process does."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import distributed as dist
from torch import nn
from torch.nn import functional

from rdfc_core.distributed.sync_batchnorm import synchronised


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[None]:
    store = dist.FileStore(str(tmp_path / "store"), 1)
    dist.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize("affine", [True, False])
def test_in_a_group_of_one_it_is_batch_normalisation(alone, affine):
    torch.manual_seed(0)
    ours = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3, affine=affine))
    theirs = copy.deepcopy(ours)
    batch = torch.randn(4, 2, 6, 6)
    with synchronised(True):
        found = ours(batch)
    expected = theirs(batch)
    torch.testing.assert_close(found, expected)
    direction = torch.randn_like(found)
    (found * direction).sum().backward()
    (expected * direction).sum().backward()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-4, rtol=1e-4)
    for one, other in zip(ours.buffers(), theirs.buffers(), strict=True):
        torch.testing.assert_close(one, other)


def test_torch_s_own_function_is_never_exchanged():
    own = functional.batch_norm
    values = torch.randn(4, 3)
    with synchronised(True):
        assert functional.batch_norm is own
        # Nothing is taken over processes where nothing is learnt.
        given = nn.BatchNorm1d(3).eval()(values)
    torch.testing.assert_close(given, nn.BatchNorm1d(3).eval()(values))
