"""Weighted and debiased negatives against plain loops in Python's own floats."""

import math

import numpy as np
import pytest
import torch

from rdfc_core.errors import StudyError
from rdfc_core.utils.validation import validate
from rdfc_objective_infonce.bank import MemoryBank
from rdfc_objective_infonce.config import InfoNCEConfig, MemoryBankConfig
from rdfc_objective_infonce.infonce import InfoNCE
from rdfc_objective_infonce.shared_negatives import draw_shared

N, K, T = 11, 7, 0.2
INDICES = torch.tensor([3, 10, 0, 6])
WAYS = [
    ("stale-positive", {}),
    ("stale-positive", {"negatives_per": "batch"}),
    ("fresh-positive", {"negatives_per": "case"}),
    ("full-bank", {}),
    ("in-batch", {}),
]
CARE = [(0.0, 0.1), (0.5, 0.0), (1.0, 0.1), (2.0, 0.3)]


@pytest.fixture
def scene(units, bank_of, memory_of):
    a, b = (units(4, 5, seed).requires_grad_() for seed in (1, 2))
    return a, b, memory_of(INDICES, bank_of(11, 5, 3), bank_of(11, 5, 4))


def objective(variant, **options):
    return InfoNCE(
        InfoNCEConfig(**{"variant": variant, "temperature": T, "negatives": K, **options})
    )


def constant_bank(row: torch.Tensor) -> MemoryBank:
    bank = MemoryBank(MemoryBankConfig(momentum=0.0, update="step"))
    bank.allocate(N, 5, torch.Generator())
    bank.update(torch.arange(N), row.expand(N, 5))
    return bank


def negatives_of(variant, fresh, store, indices, generator, shared):
    """For each anchor its negatives, (n, 5) each."""
    everyone = store.read(torch.arange(N))
    cases = indices.tolist()
    if variant == "in-batch":
        return [fresh[[j for j in range(4) if j != i]] for i in range(4)]
    if variant == "full-bank":
        return [everyone[[j for j in range(N) if j != case]] for case in cases]
    if not shared:
        return list(store.negatives(K, indices, generator))
    draw = draw_shared(store, K, indices, generator)
    drawn = draw.cases.tolist()
    return [
        torch.stack([draw.substitutes[i] if j == case else everyone[j] for j in drawn])
        for i, case in enumerate(cases)
    ]


def candidates(variant, a, b, memory, shared=False):
    """Per direction and anchor: (similarity to its positive, similarities to its negatives)."""
    generator = torch.Generator()
    generator.set_state(memory.generator.get_state())
    a, b, directions = a.detach(), b.detach(), []
    for anchors, fresh, store in ((a, b, memory.b), (b, a, memory.a)):
        stale = variant in ("stale-positive", "full-bank")
        positives = store.read(memory.indices) if stale else fresh
        others = negatives_of(variant, fresh, store, memory.indices, generator, shared)
        directions.append(
            [
                (float(x @ y), [float(x @ n) for n in negatives])
                for x, y, negatives in zip(anchors, positives, others, strict=True)
            ]
        )
    return directions


def cared_for(rows, hardness, share, with_positive=True) -> float:
    """The mean loss of anchors as the public code of Robinson et al. computes it, in a loop."""
    losses = []
    for positive, negatives in rows:
        n, pos = len(negatives), math.exp(positive / T)
        weights = [math.exp(hardness * s / T) for s in negatives]
        mean = sum(weights) / n
        total = sum(w * math.exp(s / T) for w, s in zip(weights, negatives, strict=True)) / mean
        if share:
            total = max((total - share * n * pos) / (1 - share), n * math.exp(-1 / T))
        losses.append(-math.log(pos / (pos * with_positive + total)))
    return sum(losses) / len(losses)


@pytest.mark.parametrize(("variant", "options"), WAYS, ids=str)
@pytest.mark.parametrize(("hardness", "share"), CARE)
def test_the_loss_is_that_of_a_plain_loop(scene, variant, options, hardness, share):
    a, b, memory = scene
    shared = options.get("negatives_per") == "batch"
    options = {"negatives_per": "case", **options}
    directions = candidates(variant, a, b, memory, shared=shared)
    expected = sum(cared_for(rows, hardness, share) for rows in directions)
    scored = objective(variant, hardness=hardness, false_negatives=share, **options)
    loss, _ = scored.score(a, b, memory)
    assert loss.item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("hardness", "share"), CARE)
def test_the_positive_may_stay_out_of_the_sum(scene, hardness, share):
    a, b, memory = scene
    rows = candidates("in-batch", a, b, memory)
    expected = sum(cared_for(one, hardness, share, with_positive=False) for one in rows)
    scored = objective(
        "in-batch", hardness=hardness, false_negatives=share, positive_in_denominator=False
    )
    assert scored.score(a, b, memory)[0].item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("variant", "options"), WAYS, ids=str)
def test_the_gradient_is_that_of_the_value(scene, variant, options):
    a, b, memory = scene
    scored = objective(variant, hardness=1.0, false_negatives=0.1, **options)
    state = memory.generator.get_state()

    def loss_at(step: torch.Tensor) -> float:
        memory.generator.set_state(state)
        with torch.no_grad():
            return scored(a + step, b, memory)[0].item()

    loss_at(torch.zeros_like(a))
    memory.generator.set_state(state)
    scored.score(a, b, memory)[0].backward()
    direction = torch.randn(a.shape, generator=torch.Generator().manual_seed(9))
    h = 3e-3
    slope = (loss_at(h * direction) - loss_at(-h * direction)) / (2 * h)
    assert (a.grad * direction).sum().item() == pytest.approx(slope, rel=0.02, abs=5e-3)


def test_without_care_the_loss_is_as_before(scene):
    a, b, memory = scene
    rows = candidates("in-batch", a, b, memory)
    expected = sum(cared_for(one, 0.0, 0.0) for one in rows)
    assert objective("in-batch").score(a, b, memory)[0].item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("variant", ["full-bank", "in-batch"])
def test_a_sum_that_false_negatives_exhaust_stays_finite(units, memory_of, variant):
    """Every other case is as near as the positive: all of the sum may be false negatives."""
    same = units(1, 5, 7)
    a = same.expand(4, 5).clone().requires_grad_()
    b = same.expand(4, 5).clone().requires_grad_()
    memory = memory_of(INDICES, constant_bank(same), constant_bank(same))
    scored = objective(variant, hardness=1.0, false_negatives=0.999)
    loss, _ = scored.score(a, b, memory)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(a.grad).all()
    n = 10 if variant == "full-bank" else 3
    # (n − 0.999 n) e^(1/T) / 0.001 = n e^(1/T): what is left are as many true negatives.
    assert loss.item() == pytest.approx(2 * math.log(1 + n), rel=1e-2)


def test_hard_negatives_pull_more_than_easy_ones(units, memory_of, bank_of):
    anchor = torch.tensor([[1.0, 0.0, 0.0, 0.0, 0.0]]).repeat(4, 1).requires_grad_()
    others = units(4, 5, 3)
    memory = memory_of(torch.arange(4), bank_of(11, 5, 3), bank_of(11, 5, 4))
    pulls = []
    for hardness in (0.0, 2.0):
        b = others.clone().requires_grad_()
        objective("in-batch", hardness=hardness).score(anchor, b, memory)[0].backward()
        pulls.append(b.grad.norm(dim=1))
    hardest = int(np.argmax((anchor @ others.T)[0].detach().numpy()))
    assert pulls[1][hardest] > pulls[0][hardest]


@pytest.mark.parametrize("options", [{"hardness": 1.0}, {"false_negatives": 0.1}])
def test_nce_has_no_sum_to_care_for(options):
    with pytest.raises(StudyError, match="estimator infonce"):
        validate(InfoNCEConfig, {"estimator": "nce", **options}, "objective")
