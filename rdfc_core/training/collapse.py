"""Signs of collapse: what embeddings give away about a pretext task without any label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional as F

from rdfc_core.errors import ShapeError

MAX_ROWS = 1024
"""Of more cases every n-th is taken: the signs cost products of all rows with all rows."""


@torch.no_grad()
def collapse_signs(embeddings: Mapping[str, Tensor]) -> dict[str, float]:
    """How spread out each view's embeddings are, and how well each pair of views agrees.

    For each view, under ``<view>.<sign>``:

    - ``effective_rank``: how many directions the embeddings use, 1 (collapsed) … D.
    - ``off_diagonal``: mean cosine of two different cases; near 0 if spread out, 1 if collapsed.
    - ``uniformity``: log of the mean of exp(−2 |x − y|²) over pairs of cases; −4 … 0 (collapsed).

    For each pair of views, under ``<view>-<view>.<sign>``:

    - ``alignment``: mean |x − y|² between the two views of a case; 0 (equal) … 4.
    - ``retrieval_top1``: share of cases whose counterpart in the other view is nearer than every
      other case's, the mean of both directions; by chance 1 / N. A tie counts as missed.

    Embeddings are scaled to unit length first; of more than `MAX_ROWS` cases every n-th is taken.
    What holds NaN or infinite numbers gets NaN for its signs.

    Args:
        embeddings: View name → (N, D), the same N ≥ 2 cases in the same order for all views.

    Raises:
        ShapeError: If the embeddings are not (N, D) with N ≥ 2, or views differ in shape.

    Source: Roy & Vetterli 2007 (effective rank); Wang & Isola 2020 (alignment, uniformity).
    """
    _check(embeddings)
    rows = {name: _unit_rows(found) for name, found in embeddings.items()}
    signs: dict[str, float] = {}
    for name, x in rows.items():
        off_diagonal, uniformity = _spread(x)
        signs[f"{name}.effective_rank"] = effective_rank(x)
        signs[f"{name}.off_diagonal"] = off_diagonal
        signs[f"{name}.uniformity"] = uniformity
    for (name_a, a), (name_b, b) in combinations(rows.items(), 2):
        signs[f"{name_a}-{name_b}.alignment"] = float((a - b).square().sum(1).mean())
        signs[f"{name_a}-{name_b}.retrieval_top1"] = _retrieval_top1(a, b)
    return signs


@torch.no_grad()
def spreads(embeddings: Mapping[str, Sequence[Tensor]]) -> dict[str, float]:
    """How far cases lie apart in each view, in the embeddings' own unit, as ``<view>.spread``.

    `collapse_signs` look at directions, which may still differ where a loss has pulled all cases
    into one point.

    Args:
        embeddings: View name → (B, D), batch by batch: between them the weights have moved.

    Returns:
        The root mean square distance of a case to the mean of its batch.
    """
    found = {}
    for name, parts in embeddings.items():
        squares = [(x - x.mean(0)).square().sum(1) for x in (one.double() for one in parts)]
        found[f"{name}.spread"] = float(torch.cat(squares).mean().sqrt())
    return found


def effective_rank(rows: Tensor) -> float:
    """The exponential of the entropy of the singular values, as shares of their sum.

    Args:
        rows: (N, D), not all zero; NaN or infinite entries give NaN.
    """
    if not bool(rows.isfinite().all()):
        return float("nan")
    # float64: in float32 a collapsed embedding's 127 vanishing values add up to a visible share.
    values = torch.linalg.svdvals(rows.double())
    shares = values / values.sum()
    return float(torch.special.entr(shares).sum().exp())


def _check(embeddings: Mapping[str, Tensor]) -> None:
    shapes = {name: tuple(found.shape) for name, found in embeddings.items()}
    if len(set(shapes.values())) > 1 or any(len(s) != 2 or s[0] < 2 for s in shapes.values()):
        shown = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ShapeError(
            f"Signs of collapse need embeddings (N, D) of the same N ≥ 2 cases in every view, and "
            f"got {shown}: pass all views of one set of cases."
        )


def _unit_rows(embeddings: Tensor) -> Tensor:
    stride = -(-len(embeddings) // MAX_ROWS)
    return F.normalize(embeddings[::stride].float().cpu(), dim=1)


def _spread(x: Tensor) -> tuple[float, float]:
    """Mean cosine and uniformity over all pairs of different rows."""
    cosines = x @ x.T
    closeness = (-4 * (1 - cosines)).exp()  # |x − y|² = 2 − 2 cosine
    return float(_off_diagonal_mean(cosines)), float(_off_diagonal_mean(closeness).log())


def _off_diagonal_mean(square: Tensor) -> Tensor:
    n = len(square)
    return (square.sum() - square.diagonal().sum()) / (n * (n - 1))


def _retrieval_top1(a: Tensor, b: Tensor) -> float:
    cosines = a @ b.T
    own = cosines.diagonal()
    if not bool(cosines.isfinite().all()):
        return float("nan")
    others = cosines - torch.diag(torch.full_like(own, torch.inf))
    found = torch.stack([own > others.amax(1), own > others.amax(0)])
    return float(found.double().mean())
