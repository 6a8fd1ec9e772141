import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from rdfc_core.errors import ShapeError
from rdfc_core.training.collapse import MAX_ROWS, collapse_signs, effective_rank, spreads


def random_units(rows: int, width: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(rows, width, generator=generator), dim=1)


def test_identical_embeddings_have_rank_1_and_cosine_1_and_retrieve_nothing() -> None:
    same = F.normalize(torch.ones(10, 4), dim=1)
    signs = collapse_signs({"radiomics": same, "image": same.clone()})
    for view in ("radiomics", "image"):
        assert signs[f"{view}.effective_rank"] == pytest.approx(1, abs=1e-6)
        assert signs[f"{view}.off_diagonal"] == pytest.approx(1, abs=1e-6)
        assert signs[f"{view}.uniformity"] == pytest.approx(0, abs=1e-5)
    assert signs["radiomics-image.alignment"] == pytest.approx(0, abs=1e-6)
    assert signs["radiomics-image.retrieval_top1"] == 0


def test_orthonormal_embeddings_have_rank_d_and_cosine_0_and_are_all_retrieved() -> None:
    signs = collapse_signs({"radiomics": torch.eye(6), "image": torch.eye(6)})
    assert signs["radiomics.effective_rank"] == pytest.approx(6)
    assert signs["radiomics.off_diagonal"] == pytest.approx(0, abs=1e-7)
    assert signs["radiomics.uniformity"] == pytest.approx(-4)  # |x − y|² = 2 for every pair
    assert signs["radiomics-image.alignment"] == pytest.approx(0)
    assert signs["radiomics-image.retrieval_top1"] == 1


def test_opposite_views_have_the_largest_alignment_distance() -> None:
    signs = collapse_signs({"a": torch.eye(3), "b": -torch.eye(3)})
    assert signs["a-b.alignment"] == pytest.approx(4)
    assert signs["a-b.retrieval_top1"] == 0


def test_effective_rank_of_known_singular_values() -> None:
    # Shares 3/4 and 1/4: exp(entropy) by hand.
    expected = math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    assert effective_rank(torch.diag(torch.tensor([3.0, 1.0, 0.0]))) == pytest.approx(expected)


def test_signs_match_plain_loops() -> None:
    a, b = random_units(7, 5, 1), random_units(7, 5, 2)
    signs = collapse_signs({"a": a, "b": b})
    x, y = a.double().numpy(), b.double().numpy()
    pairs = [(i, j) for i in range(7) for j in range(7) if i != j]
    cosine = np.mean([x[i] @ x[j] for i, j in pairs])
    uniformity = math.log(np.mean([math.exp(-2 * np.sum((x[i] - x[j]) ** 2)) for i, j in pairs]))
    hits = [all(x[i] @ y[i] > x[i] @ y[j] for j in range(7) if j != i) for i in range(7)]
    hits += [all(x[i] @ y[i] > x[j] @ y[i] for j in range(7) if j != i) for i in range(7)]
    assert signs["a.off_diagonal"] == pytest.approx(cosine, abs=1e-6)
    assert signs["a.uniformity"] == pytest.approx(uniformity, abs=1e-5)
    assert signs["a-b.alignment"] == pytest.approx(np.mean(np.sum((x - y) ** 2, axis=1)))
    assert signs["a-b.retrieval_top1"] == pytest.approx(np.mean(hits))


def test_three_views_give_three_pairs_and_one_view_none() -> None:
    views = {name: random_units(5, 4, seed) for seed, name in enumerate("abc")}
    pairs = {key.split(".")[0] for key in collapse_signs(views) if "-" in key}
    assert pairs == {"a-b", "a-c", "b-c"}
    assert set(collapse_signs({"a": views["a"]})) == {
        "a.effective_rank",
        "a.off_diagonal",
        "a.uniformity",
    }


def test_length_of_embeddings_does_not_matter() -> None:
    a = random_units(6, 4)
    assert collapse_signs({"a": 5 * a}) == pytest.approx(collapse_signs({"a": a}), abs=1e-5)


def test_many_cases_are_thinned_by_stride() -> None:
    many = random_units(2 * MAX_ROWS + 1, 4)
    assert collapse_signs({"a": many}) == collapse_signs({"a": many[::3]})
    assert len(many[::3]) <= MAX_ROWS


def test_nan_in_a_view_gives_nan_for_that_view_and_its_pairs_only() -> None:
    a, b = random_units(5, 4, 1), random_units(5, 4, 2)
    a[2, 1] = torch.nan
    signs = collapse_signs({"a": a, "b": b})
    assert all(math.isnan(value) for key, value in signs.items() if key.startswith("a"))
    assert not any(math.isnan(value) for key, value in signs.items() if key.startswith("b"))


def test_half_precision_and_gradients_are_taken_as_they_come() -> None:
    a = random_units(5, 4).requires_grad_()
    assert collapse_signs({"a": a.bfloat16()})["a.effective_rank"] == pytest.approx(
        effective_rank(a.detach()), rel=0.01
    )


@pytest.mark.parametrize(
    "embeddings",
    [
        {"a": torch.ones(3, 4), "b": torch.ones(2, 4)},
        {"a": torch.ones(3, 4), "b": torch.ones(3, 5)},
        {"a": torch.ones(1, 4)},
        {"a": torch.ones(4)},
    ],
)
def test_views_that_do_not_fit_are_refused_with_their_shapes(
    embeddings: dict[str, torch.Tensor],
) -> None:
    with pytest.raises(ShapeError, match=r"a \("):
        collapse_signs(embeddings)


def test_the_spread_is_the_distance_of_cases_to_the_mean_of_their_batch() -> None:
    first = torch.tensor([[0.0, 0.0], [6.0, 8.0]])  # 5 from their mean, each
    spread = spreads({"a": [first, 100 + first], "b": [torch.ones(4, 3)]})
    assert spread == {"a.spread": pytest.approx(5), "b.spread": 0}
