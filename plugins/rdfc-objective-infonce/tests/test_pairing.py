"""The controls pair views of different cases, in every place where a positive comes from."""

import pytest
import torch

from rdfc_core.errors import ShapeError
from rdfc_objective_infonce.pairing import (
    Relabelled,
    pair_by_cycle,
    pair_within_batch,
    partners,
    random_cycle,
)

CYCLE = torch.tensor([2, 0, 3, 1])  # 2 → 0 → 3 → 1 → 2


def test_partners_follow_the_cycle_and_others_stay() -> None:
    assert partners(CYCLE, 1, 6).tolist() == [3, 2, 0, 1, 4, 5]
    assert partners(CYCLE, 2, 6).tolist() == [1, 0, 3, 2, 4, 5]
    assert partners(CYCLE, -1, 6)[partners(CYCLE, 1, 6)].tolist() == list(range(6))


def test_no_two_of_v_views_come_from_one_case() -> None:
    cycle = torch.randperm(5, generator=torch.Generator().manual_seed(0))
    chimera = torch.stack([partners(cycle, shift, 5) for shift in range(5)])
    assert all(len(set(column)) == 5 for column in chimera.T.tolist())


def test_a_relabelled_store_serves_the_partner_s_row(bank_of, units) -> None:
    bank = bank_of(6, 4)
    partner = partners(CYCLE, 1, 6)
    renamed = Relabelled(bank, partner)
    indices = torch.tensor([0, 3, 5])
    assert renamed.rows == 6
    assert torch.equal(renamed.read(indices), bank.bank[[3, 1, 5]])
    seen = {tuple(row.tolist()) for _, rows in renamed.all_chunks() for row in rows}
    assert len(seen) == 6
    for cases, rows in renamed.all_chunks():
        assert torch.equal(rows, bank.bank[partner[cases]])


def test_a_relabelled_store_never_draws_the_partner(bank_of, units) -> None:
    bank = bank_of(4, 3)
    renamed = Relabelled(bank, partners(CYCLE, 1, 4))
    exclude = torch.tensor([0, 1])
    drawn = renamed.negatives(400, exclude, torch.Generator().manual_seed(0))
    is_row = (drawn.unsqueeze(2) == bank.bank).all(-1).any(1)
    assert is_row.tolist() == [[True, True, True, False], [True, True, False, True]]
    anchors = units(2, 3, 1)
    products = renamed.similarities(anchors, 400, exclude, torch.Generator().manual_seed(0))
    torch.testing.assert_close(products, (drawn @ anchors.unsqueeze(2)).squeeze(2))


def test_a_relabelled_store_updates_the_partner(bank_of, units) -> None:
    bank = bank_of(4, 3, momentum=0.0)
    fresh = units(1, 3, 1)
    Relabelled(bank, partners(CYCLE, 1, 4)).update(torch.tensor([0]), fresh)
    torch.testing.assert_close(bank.bank[3:], fresh)


def test_a_fixed_shuffle_is_seen_alike_from_both_views(bank_of, memory_of) -> None:
    a, b = bank_of(4, 3, 1), bank_of(4, 3, 2)
    indices = torch.arange(4)
    shuffled = pair_by_cycle(memory_of(indices, a, b), CYCLE, 1)
    # Case 2 of the first view belongs with case 0 of the second, and the other way round.
    assert torch.equal(shuffled.b.read(torch.tensor([2])), b.bank[[0]])
    assert torch.equal(shuffled.a.read(torch.tensor([0])), a.bank[[2]])
    assert not (shuffled.b.read(indices) == b.bank).all(1).any()


def test_a_shuffle_within_the_batch_moves_embeddings_and_memory_together(
    bank_of, memory_of, units
) -> None:
    a, b = bank_of(9, 3, 1), bank_of(9, 3, 2)
    indices = torch.tensor([7, 4, 7, 1, 5])  # case 7 stands twice
    fresh = units(5, 3, 3)
    cycle = torch.tensor([4, 7, 5, 1])
    moved, shuffled = pair_within_batch(fresh, memory_of(indices, a, b), cycle, 1, 9)
    # 7 → 5, 4 → 7 (its first row), 1 → 4, 5 → 1
    torch.testing.assert_close(moved, fresh[[4, 0, 4, 1, 3]])
    assert torch.equal(shuffled.b.read(indices), b.bank[[5, 7, 5, 4, 1]])
    assert torch.equal(shuffled.a.read(indices), a.bank[indices])
    assert torch.equal(shuffled.indices, indices)


def test_every_other_case_of_the_batch_is_partner_equally_often() -> None:
    indices = torch.tensor([3, 0, 8, 5])
    generator = torch.Generator().manual_seed(0)
    counts = torch.zeros(9, 9)
    for _ in range(3000):
        table = partners(random_cycle(indices, 2, generator), 1, 9)
        counts[indices, table[indices]] += 1
    found = counts[indices][:, indices]
    assert found.diagonal().sum() == 0
    # Binomial(3000, 1/3) has a standard deviation of 25.8: five of them.
    off_diagonal = found[~torch.eye(4, dtype=torch.bool)]
    assert (off_diagonal - 1000).abs().max() < 5 * 25.8


def test_a_batch_with_fewer_cases_than_views_is_refused() -> None:
    with pytest.raises(ShapeError, match="takes 3 views from different cases"):
        random_cycle(torch.tensor([4, 4, 2]), 3, torch.Generator())
