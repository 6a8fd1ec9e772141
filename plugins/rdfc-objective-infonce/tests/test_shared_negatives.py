"""Negatives that a batch shares are drawn alike from all other cases."""

import logging

import pytest
import torch

from rdfc_core.errors import ShapeError
from rdfc_objective_infonce.config import InfoNCEConfig
from rdfc_objective_infonce.infonce import InfoNCE, _tell_of_sharing
from rdfc_objective_infonce.shared_negatives import draw_shared, shared_similarities


@pytest.fixture
def numbered(bank_of):
    """Makes a bank of N cases in which the row of case n is the n-th unit vector."""

    def make(n: int):
        bank = bank_of(n, n)
        bank.load_state_dict({"bank": torch.eye(n)})
        return bank

    return make


def negatives_of(bank, k, indices, generator) -> torch.Tensor:
    """(B, K) which cases are the negatives of each anchor."""
    draw = draw_shared(bank, k, indices, generator)
    numbers = torch.arange(float(bank.rows)).expand(len(indices), -1)
    return shared_similarities(numbers, bank, draw).round().long()


@pytest.mark.parametrize(("n", "k"), [(1000, 300), (7, 7), (10, 3), (2, 1), (2, 2)])
def test_shared_cases_are_all_different(bank_of, n, k) -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        cases = draw_shared(bank_of(n, 3), k, torch.tensor([0, n - 1]), generator).cases
        assert len(set(cases.tolist())) == k
        assert set(cases.tolist()) <= set(range(n))


@pytest.mark.parametrize(("n", "k"), [(6, 4), (6, 6), (9, 2), (2, 1)])
def test_every_other_case_is_as_often_a_negative_and_the_own_never(numbered, n, k) -> None:
    bank, generator, draws = numbered(n), torch.Generator().manual_seed(0), 3000
    counts = torch.zeros(n, n)
    for _ in range(draws):
        drawn = negatives_of(bank, k, torch.arange(n), generator)
        counts += torch.nn.functional.one_hot(drawn, n).sum(1)
    assert counts.diagonal().tolist() == [0] * n
    assert counts.sum(1).tolist() == [draws * k] * n
    others = counts[~torch.eye(n, dtype=torch.bool)]
    # Of a step's count, 0 to 2, the standard deviation is below 0.6: six of them.
    assert (others - draws * k / (n - 1)).abs().max() < 6 * 0.6 * draws**0.5


def test_a_case_that_stands_twice_is_left_out_for_both(numbered) -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = negatives_of(numbered(5), 5, torch.tensor([2, 4, 2]), generator)
    assert not (drawn == torch.tensor([[2], [4], [2]])).any()


def test_the_generator_alone_determines_the_draw(bank_of) -> None:
    bank, indices = bank_of(50, 4), torch.tensor([3, 7])
    everywhere = torch.get_rng_state()
    first, again, other = (
        draw_shared(bank, 20, indices, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(everywhere, torch.get_rng_state())
    assert torch.equal(first.cases, again.cases)
    assert torch.equal(first.substitutes, again.substitutes)
    assert not torch.equal(first.cases, other.cases)


def test_more_shared_negatives_than_cases_are_refused(bank_of) -> None:
    with pytest.raises(ShapeError, match=r"draws 12 different cases, and the memory holds 11"):
        draw_shared(bank_of(11, 5), 12, torch.tensor([0]), torch.Generator())


@pytest.mark.parametrize(("cases", "same_as"), [(24, "case"), (25, "batch")])
def test_auto_shares_above_4_k_cases_and_says_so(
    units, bank_of, memory_of, caplog, cases, same_as
) -> None:
    _tell_of_sharing.cache_clear()
    a, b = units(4, 5, 1), units(4, 5, 2)

    def loss(per: str) -> float:
        memory = memory_of(torch.tensor([3, 10, 0, 6]), bank_of(cases, 5, 3), bank_of(cases, 5, 4))
        config = InfoNCEConfig(negatives=6, negatives_per=per)
        return InfoNCE(config)(a, b, memory)[0].item()

    with caplog.at_level(logging.INFO, logger="rdfc"):
        assert loss("auto") == loss(same_as) != loss({"case": "batch"}.get(same_as, "case"))
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == (same_as == "batch")
    assert all("holds 25 cases, over 4 times the 6 negatives" in sentence for sentence in told)
