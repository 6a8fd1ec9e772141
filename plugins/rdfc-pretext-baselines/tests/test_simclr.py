"""SimCLR: the loss by hand, and that two draws of a case come together."""

import math

import pytest
import torch
from pytorch_metric_learning.losses import NTXentLoss
from torch.nn import functional as F

from rdfc_pretext_baselines.simclr import NTXent, agreement


def units(rows, width, seed=0):
    return F.normalize(torch.randn(rows, width, generator=torch.Generator().manual_seed(seed)))


def by_hand(embeddings, indices, temperature):
    """−log e^(x·y/τ) / (e^(x·y/τ) + Σ e^(x·z/τ)), z: draws of other cases. One draw at a time."""
    cases = [*indices, *indices]
    losses = []
    for i, x in enumerate(embeddings):
        counterpart = (i + len(indices)) % len(cases)
        positive = math.exp(float(x @ embeddings[counterpart]) / temperature)
        others = [j for j in range(len(cases)) if cases[j] != cases[i]]
        negative = sum(math.exp(float(x @ embeddings[j]) / temperature) for j in others)
        losses.append(-math.log(positive / (positive + negative)))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("indices", [[0, 1, 2], [4, 2, 4, 9, 2]], ids=["distinct", "doubled"])
def test_nt_xent_is_what_its_formula_says(temperature, indices) -> None:
    embeddings = units(2 * len(indices), 5)
    loss = NTXent(temperature)(embeddings, torch.tensor(indices))
    assert loss.item() == pytest.approx(by_hand(embeddings, indices, temperature), rel=1e-5)


def test_it_is_the_library_s_own_nt_xent_where_no_case_is_doubled() -> None:
    embeddings = units(16, 6).requires_grad_()
    indices = torch.arange(8)
    losses = [
        NTXent(0.2)(embeddings, indices),
        NTXentLoss(temperature=0.2)(embeddings, indices.repeat(2)),
    ]
    gradients = [torch.autograd.grad(loss, embeddings)[0] for loss in losses]
    torch.testing.assert_close(*losses)
    torch.testing.assert_close(*gradients)


def test_equal_embeddings_everywhere_cost_the_log_of_the_candidates() -> None:
    embeddings = torch.ones(1, 4).expand(10, 4) / 2
    loss = NTXent(0.07)(embeddings, torch.arange(5))
    assert loss.item() == pytest.approx(math.log(1 + 8))  # one counterpart, 8 draws of others


def test_draws_of_a_doubled_case_neither_repel_nor_attract_each_other() -> None:
    """Turning case 7's second appearance changes nothing of the first one's loss."""
    embeddings, indices = units(6, 4), torch.tensor([7, 7, 3])
    embeddings.requires_grad_()
    cosines = embeddings @ embeddings.T
    loss = NTXent(0.5)(embeddings, indices)
    (gradient,) = torch.autograd.grad(loss, embeddings)
    # x₀ has its counterpart x₃ and the negatives x₂, x₅; x₁ and x₄ are of its own case.
    pull = torch.autograd.grad(
        sum(
            -F.log_softmax(cosines[i, [j, 2, 5]] / 0.5, dim=0)[0]
            for i, j in ((0, 3), (3, 0), (1, 4), (4, 1))
        )
        + sum(
            -F.log_softmax(cosines[i, [j, 0, 1, 3, 4]] / 0.5, dim=0)[0] for i, j in ((2, 5), (5, 2))
        ),
        embeddings,
    )[0]
    # The loss normalises once more: only what is tangential to the sphere is left.
    tangential = pull - (pull * embeddings).sum(1, keepdim=True) * embeddings
    torch.testing.assert_close(gradient, (tangential / 6).detach(), rtol=1e-4, atol=1e-6)


def test_draws_that_are_right_beyond_doubt_count_in_the_mean() -> None:
    """In float32 their loss is 0 exactly, which a mean over what is not 0 would leave out."""
    embeddings = torch.eye(6)[[0, 1, 2, 0, 1, 3]]  # the third case's draws are at right angles
    loss = NTXent(0.005)(embeddings, torch.arange(3))
    assert loss.item() == pytest.approx((4 * 0 + 2 * math.log(1 + 4)) / 6, rel=1e-4)


def test_a_batch_of_one_case_alone_costs_nothing() -> None:
    embeddings = units(4, 3).requires_grad_()
    loss = NTXent(0.1)(embeddings, torch.tensor([5, 5]))
    loss.backward()
    assert loss.item() == 0
    assert not embeddings.grad.any()


def test_what_is_logged_is_counted_by_hand() -> None:
    angles = torch.tensor([0.0, 60.0, 90.0, 20.0, 10.0, 85.0]).deg2rad()
    embeddings = torch.stack([angles.cos(), angles.sin()], dim=1)
    logs = agreement(embeddings, torch.arange(3))  # draws at 0/20, 60/10 and 90/85 degrees
    cosine = lambda degrees: math.cos(math.radians(degrees))  # noqa: E731
    assert logs["positive_similarity"].item() == pytest.approx(
        (cosine(20) + cosine(50) + cosine(5)) / 3
    )
    # 0 is nearer to 10 than to its own 20, 20 to 10, 60 to 85, 10 to 0; 90 and 85 find each other.
    assert logs["top1"].item() == pytest.approx(2 / 6)
    doubled = agreement(embeddings, torch.tensor([0, 0, 1]))
    # 60/10 now belong to the case of 0/20: their negatives are 90 and 85 alone.
    assert doubled["top1"].item() == pytest.approx(5 / 6)
    others = [abs(a - b) for a in (0, 60, 20, 10) for b in (90, 85)]
    assert doubled["negative_similarity"].item() == pytest.approx(
        sum(map(cosine, others)) / len(others)
    )


def test_a_counterpart_that_is_far_is_found_if_all_others_are_farther() -> None:
    angles = torch.tensor([0.0, 180.0, 100.0, 181.0]).deg2rad()
    embeddings = torch.stack([angles.cos(), angles.sin()], dim=1)
    logs = agreement(embeddings, torch.arange(2))  # draws at 0/100 and 180/181 degrees
    # 0 finds 100 behind a right angle; 100 is nearer to 180; 180 and 181 find each other.
    assert logs["top1"].item() == pytest.approx(3 / 4)


def test_draws_of_a_case_come_together_and_those_of_others_part(task_of, train) -> None:
    """Cases are stripes of 16 directions; the draws differ in brightness."""
    turns = torch.arange(16)[:, None, None] * math.pi / 16
    down, right = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
    pitch = torch.tensor([0.6, 1.2]).repeat(8)[:, None, None]
    stripes = (pitch * (down * turns.cos() + right * turns.sin())).sin()
    task = task_of("simclr", 1, 16, 16, width=16)
    outputs = train(task, (0.45 + 0.3 * stripes)[:, None], 60, 0.01)
    first, last = outputs[0], outputs[-1]
    assert last.loss < 1 < math.log(31) - 0.2 < first.loss
    assert last.logs["positive_similarity"] > 0.9
    assert last.logs["negative_similarity"] < 0.2 < 0.9 < first.logs["negative_similarity"]
    assert last.logs["top1"] > 0.9 > 0.7 > first.logs["top1"]


def test_its_embeddings_have_unit_length_and_come_from_the_first_draw(
    task_of, batch, pictures_of
) -> None:
    task, given = task_of("simclr", 1, 24, 24), batch(pictures_of(5, 1, 24, 24), 3)
    output = task(given)
    draw = batch(pictures_of(5, 1, 24, 24), 3).draw("image")
    with torch.no_grad():
        expected = task.embed({"image": task.tower(draw)})["image"]
    torch.testing.assert_close(output.embeddings["image"], expected)
    torch.testing.assert_close(expected.norm(dim=1), torch.ones(5))
