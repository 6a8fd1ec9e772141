"""The controls pair views of different cases, in every place where a positive comes from."""

import pytest
import torch

from rdfc_core.errors import ShapeError
from rdfc_objective_infonce.shared_negatives import draw_shared, shared_similarities
from rdfc_objective_infonce.shuffled_pairs import (
    Relabelled,
    apart,
    by_chance,
    pair_in_memory,
    pair_within_batch,
    partners,
)

CIRCLE = torch.tensor([[2, 0, 3, 1], [0, 3, 1, 2]])  # 2 → 0 → 3 → 1 → 2
THERE, BACK = (0, 1), (1, 0)


def test_partners_share_a_column_and_others_stay() -> None:
    assert partners(CIRCLE, *THERE, 6).tolist() == [3, 2, 0, 1, 4, 5]
    assert partners(CIRCLE, *BACK, 6)[partners(CIRCLE, *THERE, 6)].tolist() == list(range(6))


def test_no_two_of_v_views_come_from_one_case() -> None:
    seating = apart(torch.tensor([4, 1, 0, 7, 9]), 5, torch.Generator().manual_seed(0))
    assert all(len(set(column)) == 5 for column in seating.T.tolist())
    assert all(sorted(row) == [0, 1, 4, 7, 9] for row in seating.tolist())


def test_a_relabelled_store_serves_the_partner_s_row(bank_of, units) -> None:
    bank = bank_of(6, 4)
    partner = partners(CIRCLE, *THERE, 6)
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
    renamed = Relabelled(bank, partners(CIRCLE, *THERE, 4))
    exclude = torch.tensor([0, 1])
    drawn = renamed.negatives(400, exclude, torch.Generator().manual_seed(0))
    is_row = (drawn.unsqueeze(2) == bank.bank).all(-1).any(1)
    assert is_row.tolist() == [[True, True, True, False], [True, True, False, True]]
    anchors = units(2, 3, 1)
    products = renamed.similarities(anchors, 400, exclude, torch.Generator().manual_seed(0))
    torch.testing.assert_close(products, (drawn @ anchors.unsqueeze(2)).squeeze(2))


def test_shared_negatives_of_a_relabelled_store_leave_out_the_partner(bank_of) -> None:
    bank, indices = bank_of(4, 4), torch.tensor([2, 0, 1])
    bank.load_state_dict({"bank": torch.eye(4)})  # a row's number is the place of its 1
    renamed = Relabelled(bank, partners(CIRCLE, *THERE, 4))
    numbers = torch.arange(4.0).expand(3, -1)
    generator, seen = torch.Generator().manual_seed(0), [set(), set(), set()]
    for _ in range(100):
        draw = draw_shared(renamed, 3, indices, generator)
        for found, row in zip(seen, shared_similarities(numbers, renamed, draw), strict=True):
            found.update(row.tolist())
    assert seen == [{1, 2, 3}, {0, 1, 2}, {0, 1, 3}]  # all but the partners 0, 3 and 2


def test_a_relabelled_store_updates_the_partner(bank_of, units) -> None:
    bank = bank_of(4, 3, momentum=0.0)
    fresh = units(1, 3, 1)
    Relabelled(bank, partners(CIRCLE, *THERE, 4)).update(torch.tensor([0]), fresh)
    torch.testing.assert_close(bank.bank[3:], fresh)


def test_a_fixed_shuffle_is_seen_alike_from_both_views(bank_of, memory_of) -> None:
    a, b = bank_of(4, 3, 1), bank_of(4, 3, 2)
    indices = torch.arange(4)
    shuffled = pair_in_memory(
        memory_of(indices, a, b), partners(CIRCLE, *THERE, 4), partners(CIRCLE, *BACK, 4)
    )
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
    seating = torch.tensor([[4, 7, 5, 1], [7, 5, 1, 4]])
    to_b = partners(seating, *THERE, 9)
    moved, shuffled = pair_within_batch(fresh, memory_of(indices, a, b), to_b)
    # 7 → 5, 4 → 7 (its first row), 1 → 4, 5 → 1
    torch.testing.assert_close(moved, fresh[[4, 0, 4, 1, 3]])
    assert torch.equal(shuffled.b.read(indices), b.bank[[5, 7, 5, 4, 1]])
    assert torch.equal(shuffled.a.read(indices), a.bank[indices])
    assert torch.equal(shuffled.indices, indices)


@pytest.mark.parametrize("candidates", [4, 20])
def test_the_true_partner_is_shown_as_often_as_any_other_candidate(candidates) -> None:
    indices, draws = torch.tensor([3, 0, 8, 5]), 4000
    generator = torch.Generator().manual_seed(0)
    counts = torch.zeros(9, 9)
    for _ in range(draws):
        table = partners(by_chance(indices, 3, candidates, generator), 0, 2, 9)
        counts[indices, table[indices]] += 1
    found = counts[indices][:, indices]
    own = draws / candidates
    other = (draws - own) / 3
    expected = torch.full((4, 4), other).fill_diagonal_(own)
    # Five standard deviations of a binomial count.
    spread = (expected * (1 - expected / draws)).sqrt()
    assert ((found - expected).abs() < 5 * spread).all()


def test_a_batch_with_fewer_cases_than_views_is_refused() -> None:
    with pytest.raises(ShapeError, match="takes 3 views from different cases"):
        apart(torch.tensor([4, 2]), 3, torch.Generator())
