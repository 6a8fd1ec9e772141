"""What the objective asks of its surroundings, and what it refuses."""

import logging

import pytest
import torch

from rdfc_core.errors import ShapeError
from rdfc_core.interfaces import MemoryStore
from rdfc_objective_infonce.bank import MemoryBank
from rdfc_objective_infonce.config import InfoNCEConfig, MemoryBankConfig
from rdfc_objective_infonce.infonce import InfoNCE, _warn_of_drift

N, D = 11, 5
INDICES = torch.tensor([3, 10, 0, 6])
VARIANTS = ("stale-positive", "fresh-positive", "full-bank", "in-batch")


@pytest.fixture
def scene(units, bank_of, memory_of):
    """Embeddings of both views (with gradient), and the memory."""
    a, b = (units(4, D, seed).requires_grad_() for seed in (1, 2))
    return a, b, memory_of(INDICES, bank_of(N, D, 3), bank_of(N, D, 4))


def objective(variant: str = "stale-positive", **options) -> InfoNCE:
    return InfoNCE(InfoNCEConfig(**{"variant": variant, "negatives": 7, **options}))


def test_in_batch_uses_no_memory_and_the_others_do() -> None:
    assert {v: objective(v).uses_memory for v in VARIANTS} == {
        "stale-positive": True,
        "fresh-positive": True,
        "full-bank": True,
        "in-batch": False,
    }


def test_more_negatives_than_cases_are_drawn_with_replacement(scene) -> None:
    a, b, memory = scene
    loss, _ = objective(negatives=50 * N)(a, b, memory)
    assert loss.isfinite()


def test_the_memory_is_read_and_not_written(scene) -> None:
    a, b, memory = scene
    before = memory.a.bank.clone(), memory.b.bank.clone()
    for variant in VARIANTS:
        objective(variant)(a, b, memory)[0].backward()
    assert torch.equal(memory.a.bank, before[0])
    assert torch.equal(memory.b.bank, before[1])


class RowsOnly(MemoryBank):
    """A store that leaves the products to the interface."""

    similarities = MemoryStore.similarities


def test_a_store_without_products_of_its_own_gives_the_same_loss(scene, memory_of) -> None:
    a, b, memory = scene
    plain = []
    for bank in (memory.a, memory.b):
        plain.append(RowsOnly(MemoryBankConfig()))
        plain[-1].allocate(N, D, torch.Generator())
        plain[-1].load_state_dict(bank.state_dict())
    quick, _ = objective()(a, b, memory)
    slow, _ = objective()(a, b, memory_of(INDICES, *plain))
    assert slow.item() == pytest.approx(quick.item(), rel=1e-6)


def test_mixed_precision_does_not_coarsen_the_loss(scene) -> None:
    a, b, memory = scene
    state = memory.generator.get_state()
    exact, _ = objective()(a, b, memory)
    memory.generator.set_state(state)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed, _ = objective()(a, b, memory)
    assert mixed.item() == exact.item()


def test_a_fresh_positive_is_warned_of_once(caplog) -> None:
    _warn_of_drift.cache_clear()
    with caplog.at_level(logging.WARNING, logger="rdfc"):
        for _ in range(3):
            objective("fresh-positive")
        objective("stale-positive")
    assert [record.name for record in caplog.records] == ["rdfc"]
    assert "degenerate" in caplog.text


def test_views_of_different_shape_are_refused(scene) -> None:
    a, b, memory = scene
    with pytest.raises(ShapeError, match=r"\(4, 5\) and \(3, 5\)"):
        objective()(a, b[:3], memory)
    with pytest.raises(ShapeError, match=r"\(4, 5\) and \(4, 4\)"):
        objective("in-batch")(a, b[:, :4], memory)


@pytest.mark.parametrize("variant", ["stale-positive", "fresh-positive", "full-bank"])
def test_a_memory_of_one_case_is_refused(units, bank_of, memory_of, variant) -> None:
    memory = memory_of(torch.tensor([0]), bank_of(1, D), bank_of(1, D))
    with pytest.raises(ShapeError, match="at least 2 cases"):
        objective(variant)(units(1, D, 1), units(1, D, 2), memory)


@pytest.mark.parametrize("cases", [[4], [4, 4, 4]])
def test_a_batch_of_one_case_is_refused_without_a_bank(units, bank_of, memory_of, cases) -> None:
    memory = memory_of(torch.tensor(cases), bank_of(N, D), bank_of(N, D))
    a = units(len(cases), D, 1)
    with pytest.raises(ShapeError, match="batch size"):
        objective("in-batch")(a, a, memory)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"estimator": "nce", "variant": "in-batch"}, "draws none"),
        ({"estimator": "nce", "variant": "full-bank"}, "draws none"),
        ({"estimator": "nce", "positive_in_denominator": False}, "softmax"),
        ({"temperature": 0}, "greater than 0"),
        ({"negatives": 0}, "greater than or equal to 1"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        InfoNCEConfig(**options)
