"""Each variant against plain loops in Python's own floats."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from rdfc_core.interfaces import Memory
from rdfc_objective_infonce.bank import MemoryBank
from rdfc_objective_infonce.config import InfoNCEConfig, MemoryBankConfig
from rdfc_objective_infonce.infonce import InfoNCE
from rdfc_objective_infonce.shared_negatives import draw_shared

N, D, K, T = 11, 5, 7, 0.2
INDICES = torch.tensor([3, 10, 0, 6])
VARIANTS = ("stale-positive", "fresh-positive", "full-bank", "in-batch")


@pytest.fixture
def scene(units, bank_of, memory_of):
    """Embeddings of both views (with gradient), and the memory."""
    a, b = (units(4, D, seed).requires_grad_() for seed in (1, 2))
    return a, b, memory_of(INDICES, bank_of(N, D, 3), bank_of(N, D, 4))


def objective(variant: str = "stale-positive", **options) -> InfoNCE:
    return InfoNCE(
        InfoNCEConfig(**{"variant": variant, "temperature": T, "negatives": K, **options})
    )


def constant_bank(row: torch.Tensor) -> MemoryBank:
    bank = MemoryBank(MemoryBankConfig(momentum=0.0, update="step"))
    bank.allocate(N, D, torch.Generator())
    bank.update(torch.arange(N), row.expand(N, D))
    return bank


def dot(x, y) -> float:
    return float(np.dot(x, y))


def drawn_rows(store, indices, generator, shared):
    """The rows of each anchor's K negatives, as the objective draws them."""
    if not shared:
        return store.negatives(K, indices, generator).double().numpy()
    draw, rows = draw_shared(store, K, indices, generator), store.bank.double().numpy()
    return [
        [instead.double().numpy() if own == case else rows[case] for case in draw.cases.tolist()]
        for own, instead in zip(indices.tolist(), draw.substitutes, strict=True)
    ]


def candidates(variant: str, a, b, memory, *, shared: bool = False):
    """Per direction and anchor: (similarity to its positive, similarities to its negatives)."""
    generator = torch.Generator()
    generator.set_state(memory.generator.get_state())
    directions = []
    for anchors, fresh, store in ((a, b, memory.b), (b, a, memory.a)):
        x, y = anchors.detach().double().numpy(), fresh.detach().double().numpy()
        bank = store.bank.double().numpy()
        drawn = None
        if variant in ("stale-positive", "fresh-positive"):
            drawn = drawn_rows(store, memory.indices, generator, shared)
        rows = []
        for i, case in enumerate(memory.indices.tolist()):
            if variant == "in-batch":
                others = [dot(x[i], y[j]) for j, c in enumerate(memory.indices) if int(c) != case]
                rows.append((dot(x[i], y[i]), others))
            elif variant == "full-bank":
                others = [dot(x[i], bank[j]) for j in range(len(bank)) if j != case]
                rows.append((dot(x[i], bank[case]), others))
            else:
                positive = y[i] if variant == "fresh-positive" else bank[case]
                rows.append((dot(x[i], positive), [dot(x[i], n) for n in drawn[i]]))
        directions.append(rows)
    return directions


def softmax_loss(rows, *, with_positive: bool = True) -> float:
    losses = []
    for positive, negatives in rows:
        total = sum(math.exp(s / T) for s in negatives)
        total += math.exp(positive / T) if with_positive else 0
        losses.append(-math.log(math.exp(positive / T) / total))
    return sum(losses) / len(losses)


def nce_loss(rows, z: float) -> float:
    losses = []
    for positive, negatives in rows:
        noise = len(negatives) / N
        loss = 0.0
        for s, is_data in [(positive, True), *((s, False) for s in negatives)]:
            p = math.exp(s / T) / z
            loss -= math.log(p / (p + noise) if is_data else noise / (p + noise))
        losses.append(loss)
    return sum(losses) / len(losses)


def expected_logs(directions) -> dict[str, float]:
    pairs = [pair for rows in directions for pair in rows]
    return {
        "positive_similarity": np.mean([positive for positive, _ in pairs]),
        "negative_similarity": np.mean([np.mean(negatives) for _, negatives in pairs]),
        "top1": np.mean([positive > max(negatives) for positive, negatives in pairs]),
    }


def logged(logs) -> dict[str, float]:
    return {key: value.item() for key, value in logs.items()}


@pytest.mark.parametrize("with_positive", [True, False])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_loss_is_what_plain_loops_give(scene, variant, with_positive) -> None:
    a, b, memory = scene
    expected = sum(
        softmax_loss(rows, with_positive=with_positive)
        for rows in candidates(variant, a, b, memory)
    )
    loss, _ = objective(variant, positive_in_denominator=with_positive)(a, b, memory)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("with_positive", [True, False])
@pytest.mark.parametrize("variant", ["stale-positive", "fresh-positive"])
def test_the_loss_of_a_shared_draw_is_what_plain_loops_give(scene, variant, with_positive) -> None:
    a, b, memory = scene
    directions = candidates(variant, a, b, memory, shared=True)
    loss, logs = objective(variant, positive_in_denominator=with_positive, negatives_per="batch")(
        a, b, memory
    )
    expected = sum(softmax_loss(rows, with_positive=with_positive) for rows in directions)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert logged(logs) == pytest.approx(expected_logs(directions), abs=1e-6)


def first_normaliser(rows) -> float:
    values = [math.exp(s / T) for positive, negatives in rows for s in (positive, *negatives)]
    return N * sum(values) / len(values)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("variant", ["stale-positive", "fresh-positive"])
def test_nce_is_what_plain_loops_give_with_the_first_batch_s_normaliser(
    scene, variant, shared
) -> None:
    a, b, memory = scene
    loss_of = objective(variant, estimator="nce", negatives_per="batch" if shared else "case")
    directions = candidates(variant, a, b, memory, shared=shared)
    normalisers = [first_normaliser(rows) for rows in directions]
    expected = sum(nce_loss(rows, z) for rows, z in zip(directions, normalisers, strict=True))
    loss, logs = loss_of(a, b, memory)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert logged(logs) == pytest.approx(expected_logs(directions), abs=1e-6)

    # A later batch is scored with the same normalisers, though its own would be others.
    later = candidates(variant, b, a, memory, shared=shared)
    expected = sum(nce_loss(rows, z) for rows, z in zip(later, normalisers, strict=True))
    assert loss_of(b, a, memory)[0].item() == pytest.approx(expected, rel=1e-5)


def test_the_normaliser_is_part_of_the_state(scene) -> None:
    a, b, memory = scene
    first, second = (objective(estimator="nce") for _ in range(2))
    first(a, b, memory)
    second.load_state_dict(first.state_dict())
    assert torch.equal(second.log_z, first.log_z)
    assert not first.log_z.isnan().any()


def test_a_loaded_state_without_a_normaliser_gets_one(scene) -> None:
    a, b, memory = scene
    loss_of = objective(estimator="nce")
    blank = {key: value.clone() for key, value in loss_of.state_dict().items()}
    loss_of(a, b, memory)
    loss_of.load_state_dict(blank)
    assert loss_of(a, b, memory)[0].isfinite()
    assert loss_of.log_z.isfinite().all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_logs_are_what_plain_loops_give(scene, variant) -> None:
    a, b, memory = scene
    expected = expected_logs(candidates(variant, a, b, memory))
    _, logs = objective(variant)(a, b, memory)
    assert logged(logs) == pytest.approx(expected, abs=1e-6)
    assert not any(value.requires_grad for value in logs.values())


@pytest.mark.parametrize("per", ["case", "batch"])
@pytest.mark.parametrize("variant", ["stale-positive", "fresh-positive"])
def test_identical_embeddings_everywhere_give_ln_1_plus_k_a_direction(
    memory_of, variant, per
) -> None:
    same = F.normalize(torch.ones(4, D), dim=1)
    memory = memory_of(INDICES, *(constant_bank(same[0]) for _ in range(2)))
    loss, _ = objective(variant, negatives_per=per)(same, same, memory)
    assert loss.item() == pytest.approx(2 * math.log(1 + K), rel=1e-6)
    decoupled, _ = objective(variant, positive_in_denominator=False, negatives_per=per)(
        same, same, memory
    )
    assert decoupled.item() == pytest.approx(2 * math.log(K), rel=1e-6)


def test_identical_embeddings_give_ln_n_over_the_full_bank_and_ln_b_in_the_batch(memory_of) -> None:
    same = F.normalize(torch.ones(4, D), dim=1)
    memory = memory_of(INDICES, *(constant_bank(same[0]) for _ in range(2)))
    assert objective("full-bank")(same, same, memory)[0].item() == pytest.approx(2 * math.log(N))
    assert objective("in-batch")(same, same, memory)[0].item() == pytest.approx(2 * math.log(4))


def test_of_fewer_cases_than_negatives_all_others_are_taken(scene) -> None:
    """Undrawn, so that the loss is that of the full bank, whatever the generator."""
    drawn, everyone = (
        objective(variant, negatives=10_000)(*scene)[0]
        for variant in ("stale-positive", "full-bank")
    )
    assert drawn.item() == pytest.approx(everyone.item(), rel=1e-6)
    asked_for = objective("stale-positive", negatives=10_000, negatives_per="case")(*scene)[0]
    assert asked_for.item() > everyone.item() + 1  # each stands in the sum many times over


def test_an_untrained_full_bank_loss_is_about_ln_n(units, bank_of, memory_of) -> None:
    a, b = units(64, 128, 1), units(64, 128, 2)
    memory = memory_of(torch.arange(64), bank_of(500, 128, 3), bank_of(500, 128, 4))
    loss, _ = objective("full-bank", temperature=1.0)(a, b, memory)
    assert loss.item() / 2 == pytest.approx(math.log(500), rel=0.005)


@pytest.mark.parametrize("variant", ["stale-positive", "full-bank"])
def test_a_stale_positive_keeps_the_towers_gradients_apart(scene, variant) -> None:
    a, b, memory = scene
    loss_of = objective(variant)
    state = memory.generator.get_state()
    loss_of(a, b, memory)[0].backward()
    before = a.grad.clone()
    a.grad = None
    memory.generator.set_state(state)
    other = F.normalize(b.detach() + 1, dim=1).requires_grad_()
    loss_of(a, other, memory)[0].backward()
    assert before.abs().max() > 0
    torch.testing.assert_close(a.grad, before)  # whatever the other tower gave


def test_a_fresh_positive_pulls_both_towers(scene) -> None:
    a, b, memory = scene
    # With a detached from its own direction, what reaches it comes through b's positive alone.
    positive_only = objective("fresh-positive", positive_in_denominator=False)
    positive_only(a, b, memory)[0].backward()
    through_positive = -b.detach() / (len(a) * T)
    state = torch.Generator().manual_seed(5)
    anchors = a.detach().clone().requires_grad_()
    negatives = memory.b.negatives(K, INDICES, state)
    own = torch.logsumexp((negatives @ anchors.unsqueeze(2)).squeeze(2) / T, 1).mean()
    own.backward()
    # d·r stands in both directions: each contributes −b / (B T) to the gradient of a.
    torch.testing.assert_close(a.grad, anchors.grad + 2 * through_positive)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_match_finite_differences(scene, variant) -> None:
    a, b, memory = scene
    loss_of = objective(variant)
    state = memory.generator.get_state()

    def loss(x: torch.Tensor) -> torch.Tensor:
        memory.generator.set_state(state)
        return loss_of(x, b.detach(), memory)[0]

    loss(a).backward()
    step = 1e-2
    for i, j in ((0, 0), (1, 3), (3, 4)):
        shift = torch.zeros_like(a)
        shift[i, j] = step
        slope = (loss(a.detach() + shift) - loss(a.detach() - shift)).item() / (2 * step)
        assert a.grad[i, j].item() == pytest.approx(slope, abs=5e-3)


def test_one_case_twice_in_a_batch_is_not_its_own_negative(scene) -> None:
    a, b, _ = scene
    memory = Memory(torch.tensor([3, 5, 3, 6]), None, None, torch.Generator())
    loss, _ = objective("in-batch")(a, b, memory)
    x, y = a.detach().double().numpy(), b.detach().double().numpy()
    cases = [3, 5, 3, 6]
    directions = [
        [
            (dot(p[i], q[i]), [dot(p[i], q[j]) for j in range(4) if cases[j] != cases[i]])
            for i in range(4)
        ]
        for p, q in ((x, y), (y, x))
    ]
    assert loss.item() == pytest.approx(sum(map(softmax_loss, directions)), rel=1e-5)
