"""One pass over the candidates gives what the definition gives, value and gradient."""

import pytest
import torch

from rdfc_objective_infonce import bank as bank_module
from rdfc_objective_infonce import streaming_logsumexp
from rdfc_objective_infonce.losses import others_of
from rdfc_objective_infonce.shared_negatives import draw_shared, shared_similarities
from rdfc_objective_infonce.streaming_logsumexp import others_in_memory, others_shared

N = 11
INDICES = torch.tensor([3, 10, 0, 6])


@pytest.mark.parametrize("temperature", [0.2, 0.004])
@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_the_running_sum_over_the_memory_equals_the_whole_sum(
    units, bank_of, monkeypatch, chunk, temperature
) -> None:
    a, bank = units(4, 5, 1).requires_grad_(), bank_of(N, 5)
    monkeypatch.setattr(bank_module, "CHUNK_ROWS", chunk)
    others = others_in_memory(a, bank, INDICES, temperature)
    others.log_sum.sum().backward()

    whole = a.detach().double().requires_grad_()
    similarities = whole @ bank.bank.double().T
    own = torch.arange(N) == INDICES.unsqueeze(1)
    log_sum = (similarities / temperature).masked_fill(own, -torch.inf).logsumexp(1)
    log_sum.sum().backward()
    torch.testing.assert_close(others.log_sum, log_sum.float(), rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(a.grad, whole.grad.float(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("temperature", [0.2, 0.004])
@pytest.mark.parametrize("k", [1, 256, 700, 900])  # of 900 cases; 256 pass at once
def test_shared_negatives_are_summed_up_as_their_similarities_are(
    units, bank_of, monkeypatch, k, temperature
) -> None:
    monkeypatch.setattr(streaming_logsumexp, "LOGITS_AT_ONCE", {"cpu": 1})
    bank, indices = bank_of(900, 6), torch.tensor([899, 0, 17, 455, 17])
    draw = draw_shared(bank, k, indices, torch.Generator().manual_seed(3))
    ours, plain = (units(5, 6, 1).double().requires_grad_() for _ in range(2))
    found = others_shared(ours, bank, draw, temperature)
    monkeypatch.setattr(bank, "read", lambda cases: bank.bank[cases].double())
    expected = others_of(shared_similarities(plain, bank, draw), temperature)
    for name in ("log_sum", "mean", "highest"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name))
    weights = torch.arange(1.0, 6).double()
    (found.log_sum * weights).sum().backward()
    (expected.log_sum * weights).sum().backward()
    torch.testing.assert_close(ours.grad, plain.grad)


def test_gradients_are_those_of_finite_differences(units, bank_of, monkeypatch) -> None:
    monkeypatch.setattr(bank_module, "CHUNK_ROWS", 4)
    bank, anchors = bank_of(N, 5), units(4, 5, 1).double().requires_grad_()
    draw = draw_shared(bank, 9, INDICES, torch.Generator().manual_seed(3))
    assert torch.autograd.gradcheck(
        lambda x: others_in_memory(x, bank, INDICES, 0.2).log_sum, anchors
    )
    assert torch.autograd.gradcheck(lambda x: others_shared(x, bank, draw, 0.2).log_sum, anchors)


def test_rows_of_bfloat16_are_multiplied_in_float32(units, bank_of) -> None:
    rounded, exact = bank_of(N, 5, dtype="bfloat16"), bank_of(N, 5)
    exact.load_state_dict({"bank": rounded.bank.float()})
    a = units(4, 5, 1)
    draws = [draw_shared(b, 7, INDICES, torch.Generator().manual_seed(3)) for b in (rounded, exact)]
    for name in ("log_sum", "mean", "highest"):
        coarse = getattr(others_in_memory(a, rounded, INDICES, 0.2), name)
        assert torch.equal(coarse, getattr(others_in_memory(a, exact, INDICES, 0.2), name))
        coarse = getattr(others_shared(a, rounded, draws[0], 0.2), name)
        assert torch.equal(coarse, getattr(others_shared(a, exact, draws[1], 0.2), name))
