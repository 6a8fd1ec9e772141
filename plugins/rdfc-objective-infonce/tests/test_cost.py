"""What a step never does, whatever the machine: wait for a device, or lay out all it compares."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from rdfc_objective_infonce import bank, streaming_logsumexp
from rdfc_objective_infonce.config import InfoNCEConfig
from rdfc_objective_infonce.infonce import InfoNCE

N, B, D, K = 40_000, 12, 8, 9_000
WAITING = {"_local_scalar_dense", "nonzero", "is_nonzero", "equal", "_unique2", "masked_select"}
"""Operations whose result the CPU must see before it goes on."""


class Operations(TorchDispatchMode):
    """Notes every operation's name, and the most numbers that one of them made."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.names.add(func.overloadpacket.__name__)
        given = {one.untyped_storage().data_ptr() for one in tensors((args, kwargs))}
        for one in tensors(result):
            if one.untyped_storage().data_ptr() not in given:  # neither a view nor in place
                self.largest = max(self.largest, one.numel())
        return result


def tensors(tree) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def operations_of_a_step(units, bank_of, memory_of, **options) -> Operations:
    a, b = (units(B, D, seed).requires_grad_() for seed in (1, 2))
    memory = memory_of(torch.arange(B) * 7, bank_of(N, D, 3), bank_of(N, D, 4))
    objective = InfoNCE(InfoNCEConfig(negatives=K, **options))
    with Operations() as seen:
        objective(a, b, memory)[0].backward()
        memory.a.update(memory.indices, a.detach())
        memory.b.update(memory.indices, b.detach())
    return seen


@pytest.mark.parametrize(
    "options",
    [
        {"negatives_per": "batch"},
        {"negatives_per": "batch", "estimator": "nce"},
        {"negatives_per": "batch", "variant": "fresh-positive"},
        {"negatives_per": "case"},
        {"variant": "full-bank"},
    ],
    ids=str,
)
def test_a_step_never_waits_for_the_device(units, bank_of, memory_of, options) -> None:
    assert not operations_of_a_step(units, bank_of, memory_of, **options).names & WAITING


def test_a_wait_would_be_seen() -> None:
    with Operations() as seen:
        bool(torch.ones(3).sum() > 2)
    assert seen.names & WAITING


def test_only_a_few_logits_are_there_at_once(units, bank_of, memory_of, monkeypatch) -> None:
    monkeypatch.setattr(streaming_logsumexp, "LOGITS_AT_ONCE", {"cpu": 2**14})
    shared = operations_of_a_step(units, bank_of, memory_of, negatives_per="batch")
    assert shared.largest <= 2**14 + D * 2**14 // B
    monkeypatch.setattr(bank, "CHUNK_ROWS", 2**12)
    full = operations_of_a_step(units, bank_of, memory_of, variant="full-bank")
    assert full.largest <= 2**14 + D * 2**14 // B
    drawn = operations_of_a_step(units, bank_of, memory_of, negatives_per="case")
    assert drawn.largest >= B * K  # so much the definition takes, and so the count is sound
