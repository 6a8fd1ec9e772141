"""Promises of a memory, on a few rows: cheap enough to ask before every training."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor

from rdfc_core.contract.global_state import left_alone
from rdfc_core.contract.promises import expect_error, require
from rdfc_core.errors import ShapeError
from rdfc_core.interfaces import MemoryStore

ROWS, WIDTH = 12, 8


def require_memory(store: MemoryStore) -> None:
    """Check a memory on twelve cases.

    Args:
        store: Built, and not allocated yet.

    Raises:
        ContractError: If a row is lost or touched by another case's update, negatives hold the
            own case or are not drawn from all others, randomness comes from anywhere but the
            generator, or the content is not saved.
    """
    who = type(store).__name__
    blank, twin = deepcopy(store), deepcopy(store)
    _check_lonely(deepcopy(store), who)
    _check_allocate(store, twin, who)
    _check_read(store, who)
    _check_negatives(store, who)
    _check_similarities(store, who)
    _check_update(store, who)
    _check_update_twice(store, who)
    _check_saved(store, blank, who)


def _check_lonely(store: MemoryStore, who: str) -> None:
    """One case has no other to be told from."""
    store.allocate(1, WIDTH, _generator(0))
    with expect_error(ShapeError, f"{who}.negatives() of a memory of one case"):
        store.negatives(3, _long([0]), _generator(0))


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _long(indices: list[int]) -> Tensor:
    return torch.tensor(indices)


def _all(store: MemoryStore) -> Tensor:
    return store.read(torch.arange(ROWS)).clone()


def _unit(seed: int, rows: int) -> Tensor:
    return torch.nn.functional.normalize(torch.randn(rows, WIDTH, generator=_generator(seed)))


def _check_allocate(store: MemoryStore, twin: MemoryStore, who: str) -> None:
    with left_alone(f"{who}.allocate()"):
        store.allocate(ROWS, WIDTH, _generator(0))
    require(store.rows == ROWS, f"{who}.rows is {store.rows} after allocating {ROWS} cases.")
    twin.allocate(ROWS, WIDTH, _generator(0))
    require(
        torch.equal(_all(store), _all(twin)),
        f"{who}.allocate() fills the memory differently for the same generator; use it alone.",
    )


def _check_read(store: MemoryStore, who: str) -> None:
    rows = store.read(_long([3, 0, 3]))
    require(
        tuple(rows.shape) == (3, WIDTH) and rows.is_floating_point() and not rows.requires_grad,
        f"{who}.read() of 3 cases gave {tuple(rows.shape)} {rows.dtype}; give (3, {WIDTH}) "
        "floating-point numbers without gradient.",
    )
    require(torch.isfinite(rows).all(), f"{who}.read() gave NaN or infinite values.")
    require(
        torch.equal(rows[0], rows[2]) and torch.equal(rows[0], _all(store)[3]),
        f"{who}.read() gave other rows in another order; give each case its own.",
    )
    chunks = list(store.all_chunks())
    places = torch.cat([indices for indices, _ in chunks])
    require(
        places.sort().values.tolist() == list(range(ROWS)),
        f"{who}.all_chunks() gave the cases {places.tolist()}; give each exactly once.",
    )
    content = torch.cat([embeddings for _, embeddings in chunks])
    require(
        torch.equal(content, _all(store)[places]),
        f"{who}.all_chunks() and read() differ; they have to give the same rows.",
    )
    require(
        len(_all(store).unique(dim=0)) == ROWS,
        f"{who}.allocate() gave several cases the same row; fill it with random rows.",
    )


def _check_negatives(store: MemoryStore, who: str) -> None:
    own, k = _long([0, 5, ROWS - 1]), 40 * ROWS  # so many that leaving a case out is no chance
    with left_alone(f"{who}.negatives()"):
        drawn = store.negatives(k, own, _generator(1))
    require(
        tuple(drawn.shape) == (len(own), k, WIDTH) and not drawn.requires_grad,
        f"{who}.negatives() gave {tuple(drawn.shape)}; give {(len(own), k, WIDTH)}, without "
        "gradient: more than there are cases, since they are drawn with replacement.",
    )
    # float64: in float32 torch computes distances from products, too coarsely for equality.
    distance = torch.cdist(drawn.double(), _all(store).double().expand(len(own), -1, -1))
    nearest = distance.min(dim=2)
    require(bool((nearest.values < 1e-4).all()), f"{who}.negatives() gave rows that no case has.")
    for case, found in zip(own.tolist(), nearest.indices, strict=True):
        others = [other for other in range(ROWS) if other != case]
        seen = sorted(set(found.tolist()))
        require(case not in seen, f"{who}.negatives() drew case {case} as its own negative.")
        require(
            seen == others,
            f"{who}.negatives() of case {case} never drew {sorted(set(others) - set(seen))} in "
            f"{k} draws; draw from all other cases alike.",
        )
    require(
        torch.equal(drawn, store.negatives(k, own, _generator(1))),
        f"{who}.negatives() gave others for the same generator; draw from it alone.",
    )


def _check_similarities(store: MemoryStore, who: str) -> None:
    own, anchors = _long([0, 5, ROWS - 1]), _unit(2, 3).requires_grad_()
    products = store.similarities(anchors, 7, own, _generator(1))
    rows = store.negatives(7, own, _generator(1))
    expected = (rows * anchors.detach()[:, None]).sum(dim=2)
    require(
        products.shape == expected.shape and torch.allclose(products, expected, atol=1e-5),
        f"{who}.similarities() gave other products than with the rows that negatives() draws for "
        "the same generator; draw the same.",
    )
    require(
        products.requires_grad,
        f"{who}.similarities() has to be differentiable, with gradient to the anchors.",
    )


def _check_update(store: MemoryStore, who: str) -> None:
    before, indices, fresh = _all(store), _long([7, 2]), _unit(3, 2)
    store.update(indices, fresh.clone().requires_grad_())
    store.end_epoch()
    after = _all(store)
    untouched = [row for row in range(ROWS) if row not in (2, 7)]
    require(
        torch.equal(before[untouched], after[untouched]),
        f"{who}.update() changed cases that were not in the batch; touch only the given ones.",
    )
    require(
        not after.requires_grad, f"{who}.update() kept the gradient of the embeddings; detach them."
    )
    cosine = torch.nn.functional.cosine_similarity
    nearer = cosine(after[indices], fresh) > cosine(before[indices], fresh)
    require(
        bool(nearer.all()),
        f"{who}.update() did not bring the rows nearer to the new embeddings.",
    )


def _check_update_twice(store: MemoryStore, who: str) -> None:
    """A case that stands in the batch twice counts once, with the mean."""
    fresh, twin = _unit(4, 2), deepcopy(store)
    store.update(_long([4, 4]), fresh)
    store.end_epoch()
    twin.update(_long([4]), fresh.mean(dim=0, keepdim=True))
    twin.end_epoch()
    require(
        torch.allclose(_all(store), _all(twin), atol=1e-5),
        f"{who}.update() of a case that stands in the batch twice has to count it once, with the "
        "mean of its embeddings.",
    )


def _check_saved(store: MemoryStore, blank: MemoryStore, who: str) -> None:
    blank.allocate(ROWS, WIDTH, _generator(9))
    blank.load_state_dict(store.state_dict())
    require(
        torch.equal(_all(store), _all(blank)),
        f"{who}: a memory with the same state_dict reads differently; keep the rows in a buffer.",
    )
