import math

import numpy as np
import pytest
import torch

from rdfc_core.errors import ShapeError
from rdfc_core.training.checkpoint import load, save
from rdfc_objective_infonce import bank as bank_module
from rdfc_objective_infonce.bank import MemoryBank
from rdfc_objective_infonce.config import MemoryBankConfig


def test_a_new_bank_is_uniform_with_unit_norm_on_average(bank_of) -> None:
    rows = bank_of(4000, 12).bank
    bound = 1 / math.sqrt(12 / 3)
    assert rows.abs().max() <= bound
    assert rows.min() < -0.99 * bound
    assert rows.max() > 0.99 * bound
    assert rows.square().sum(1).mean() == pytest.approx(1, abs=0.02)
    assert rows.var() == pytest.approx(bound**2 / 3, rel=0.02)  # of a uniform distribution


def test_the_generator_determines_the_first_content(bank_of) -> None:
    assert torch.equal(bank_of(5, 4, seed=1).bank, bank_of(5, 4, seed=1).bank)
    assert not torch.equal(bank_of(5, 4, seed=1).bank, bank_of(5, 4, seed=2).bank)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_an_update_moves_and_normalises_its_rows_and_no_others(bank_of, units, momentum) -> None:
    bank = bank_of(6, 4, momentum=momentum)
    before, fresh = bank.bank.clone().numpy(), units(2, 4, 9)
    bank.update(torch.tensor([4, 1]), fresh)
    expected = before.copy()
    for row, embedding in zip((4, 1), fresh.numpy(), strict=True):
        moved = momentum * before[row] + (1 - momentum) * embedding
        expected[row] = moved / np.linalg.norm(moved)
    np.testing.assert_allclose(bank.bank.numpy(), expected, rtol=1e-6, atol=1e-7)


def test_momentum_0_keeps_the_newest_embedding_only(bank_of, units) -> None:
    bank, fresh = bank_of(6, 4, momentum=0.0), units(2, 4, 9)
    bank.update(torch.tensor([4, 1]), fresh)
    torch.testing.assert_close(bank.read(torch.tensor([4, 1])), fresh)


def test_a_case_that_stands_twice_counts_once_with_the_mean(bank_of, units) -> None:
    twice, once = bank_of(5, 4), bank_of(5, 4)
    fresh = units(3, 4, 2)
    twice.update(torch.tensor([3, 0, 3]), fresh)
    once.update(torch.tensor([0, 3]), torch.stack([fresh[1], (fresh[0] + fresh[2]) / 2]))
    torch.testing.assert_close(twice.bank, once.bank)


def test_a_case_that_stands_twice_leaves_the_others_exactly_as_they_were(bank_of, units) -> None:
    twice, once = bank_of(5, 4), bank_of(5, 4)
    fresh = units(4, 4, 2)
    twice.update(torch.tensor([3, 0, 3, 1]), fresh)
    once.update(torch.tensor([0, 1]), fresh[[1, 3]])
    untouched = [0, 1, 2, 4]
    assert torch.equal(twice.bank[untouched], once.bank[untouched])


def test_a_bank_in_bfloat16_updates_in_float32_and_rounds_once(bank_of, units) -> None:
    bank, exact = bank_of(6, 4, dtype="bfloat16"), bank_of(6, 4)
    assert bank.bank.dtype == torch.bfloat16
    assert torch.equal(bank.bank, exact.bank.bfloat16())
    exact.load_state_dict({"bank": bank.bank.float()})
    cases, fresh = torch.tensor([4, 1, 4]), units(3, 4, 9)
    bank.update(cases, fresh)
    exact.update(cases, fresh)
    assert torch.equal(bank.bank, exact.bank.bfloat16())
    assert torch.equal(bank.read(cases), exact.bank.bfloat16().float()[cases])


def test_a_bank_in_bfloat16_hands_out_float32_everywhere(bank_of, units) -> None:
    bank, exclude = bank_of(6, 4, dtype="bfloat16"), torch.tensor([2, 5])
    handed_out = [
        bank.read(exclude),
        bank.negatives(3, exclude, torch.Generator().manual_seed(2)),
        bank.similarities(units(2, 4, 1), 3, exclude, torch.Generator().manual_seed(2)),
        *(rows for _, rows in bank.all_chunks()),
    ]
    assert {rows.dtype for rows in handed_out} == {torch.float32}
    products = (handed_out[1] @ units(2, 4, 1).unsqueeze(2)).squeeze(2)
    torch.testing.assert_close(handed_out[2], products)


def test_updates_too_small_for_bfloat16_are_refused() -> None:
    with pytest.raises(ValueError, match=r"updates of momentum 0.95 are lost"):
        MemoryBankConfig(momentum=0.95, dtype="bfloat16")


def test_negatives_are_every_other_case_alike_and_never_the_own(bank_of) -> None:
    bank = bank_of(5, 3)
    draws = 4000
    exclude = torch.arange(5)
    drawn = bank.negatives(draws, exclude, torch.Generator().manual_seed(0))
    assert drawn.shape == (5, draws, 3)
    is_row = (drawn.unsqueeze(2) == bank.bank).all(-1)  # (5, draws, 5)
    counts = is_row.sum(1)
    assert counts.diagonal().tolist() == [0] * 5
    assert counts.sum(1).tolist() == [draws] * 5
    others = counts[~torch.eye(5, dtype=torch.bool)].double()
    # Binomial(4000, 1/4) has a standard deviation of 27.4: six of them.
    assert (others - draws / 4).abs().max() < 6 * 27.4


@pytest.mark.parametrize("own", [0, 1])
def test_of_two_cases_the_other_is_the_only_negative(bank_of, own) -> None:
    bank = bank_of(2, 3)
    drawn = bank.negatives(50, torch.tensor([own]), torch.Generator().manual_seed(0))
    assert torch.equal(drawn[0], bank.bank[1 - own].expand(50, 3))


def test_a_lone_case_has_no_negatives(bank_of) -> None:
    with pytest.raises(ShapeError, match="holds 1"):
        bank_of(1, 3).negatives(4, torch.tensor([0]), torch.Generator())


@pytest.mark.parametrize("rows_per_negative", [0, 1000])
def test_similarities_are_products_with_the_negatives_either_way(
    bank_of, units, monkeypatch, rows_per_negative
) -> None:
    monkeypatch.setattr(bank_module, "ROWS_PER_NEGATIVE", rows_per_negative)
    bank, exclude = bank_of(9, 4), torch.tensor([3, 8, 3])
    anchors = units(3, 4, 1).requires_grad_()
    negatives = bank.negatives(20, exclude, torch.Generator().manual_seed(2))
    found = bank.similarities(anchors, 20, exclude, torch.Generator().manual_seed(2))
    expected = [
        [float(n @ x) for n in row] for x, row in zip(anchors.detach(), negatives, strict=True)
    ]
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=1e-6)
    found.sum().backward()
    torch.testing.assert_close(anchors.grad, negatives.sum(1))


def test_all_chunks_give_every_case_once(bank_of, monkeypatch) -> None:
    monkeypatch.setattr(bank_module, "CHUNK_ROWS", 4)
    bank = bank_of(9, 3)
    chunks = list(bank.all_chunks())
    assert [len(indices) for indices, _ in chunks] == [4, 4, 1]
    assert torch.cat([indices for indices, _ in chunks]).tolist() == list(range(9))
    assert torch.equal(torch.cat([rows for _, rows in chunks]), bank.bank)


def test_what_is_read_does_not_change_with_the_bank(bank_of, units) -> None:
    bank = bank_of(4, 3)
    read = bank.read(torch.tensor([2]))
    before = read.clone()
    bank.update(torch.tensor([2]), units(1, 3, 1))
    assert torch.equal(read, before)
    assert not read.requires_grad


def test_an_update_takes_no_gradient_along(bank_of, units) -> None:
    bank = bank_of(4, 3)
    bank.update(torch.tensor([2]), units(1, 3, 1).requires_grad_())
    assert not bank.bank.requires_grad


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_bank_is_restored_from_its_checkpoint(bank_of, units, tmp_path, dtype) -> None:
    bank, other = (bank_of(4, 3, seed=seed, dtype=dtype) for seed in (1, 2))
    bank.update(torch.tensor([2]), units(1, 3, 1))
    save(tmp_path / "state.safetensors", bank.state_dict())
    other.load_state_dict(load(tmp_path / "state.safetensors"))
    assert torch.equal(other.bank, bank.bank)
    for one in (bank, other):
        one.update(torch.tensor([1, 2]), units(2, 3, 4))
    assert torch.equal(other.bank, bank.bank)


def test_embeddings_of_another_width_are_refused(bank_of) -> None:
    with pytest.raises(ShapeError, match=r"\(2, 3\) and got \(2, 4\)"):
        bank_of(4, 3).update(torch.tensor([0, 1]), torch.ones(2, 4))


def test_a_bank_without_rows_says_so() -> None:
    bank = MemoryBank(MemoryBankConfig())
    assert bank.rows == 0
    with pytest.raises(ShapeError, match="holds 0"):
        bank.negatives(4, torch.tensor([0]), torch.Generator())


def test_new_rows_wait_until_the_epoch_ends(bank_of, units) -> None:
    waits, at_once = bank_of(6, 4, update="epoch"), bank_of(6, 4, update="step")
    before = waits.bank.clone()
    for cases, seed in (([4, 1], 9), ([0, 4], 8)):
        for bank in (waits, at_once):
            bank.update(torch.tensor(cases), units(2, 4, seed))
        assert torch.equal(waits.bank, before)
    waits.end_epoch()
    assert torch.equal(waits.bank, at_once.bank)
    waits.end_epoch()
    assert torch.equal(waits.bank, at_once.bank)


def test_what_waits_is_forgotten_with_the_rows_that_it_belongs_to(bank_of, units) -> None:
    bank, kept = bank_of(6, 4, update="epoch"), bank_of(6, 4, seed=1)
    bank.update(torch.tensor([1]), units(1, 4, 9))
    bank.load_state_dict(kept.state_dict())
    bank.end_epoch()
    assert torch.equal(bank.bank, kept.bank)


@pytest.mark.parametrize(("update", "older"), [("step", 5 / 12), ("epoch", 0.0)])
def test_positives_are_older_than_negatives_unless_rows_wait(bank_of, update, older) -> None:
    """Rows tell the time at which they were written, as a point on a short arc: in epochs ago,
    positives 1 on average, and all rows 7/12."""
    cases, epochs = 200, 40
    bank, generator = bank_of(cases, 2, update=update, momentum=0.0), torch.Generator()
    step, steps, gaps = 0, 20, []
    for epoch in range(epochs):
        for indices in torch.randperm(cases, generator=generator).tensor_split(steps):
            written = torch.atan2(bank.bank[:, 1], bank.bank[:, 0]) * epochs * steps
            if epoch > 1:
                gaps.append(written.mean() - written[indices].mean())
            now = torch.tensor(step / (epochs * steps))
            bank.update(indices, torch.stack([now.cos(), now.sin()]).expand(len(indices), 2))
            step += 1
        bank.end_epoch()
    assert float(torch.stack(gaps).mean()) / steps == pytest.approx(older, abs=0.04)
