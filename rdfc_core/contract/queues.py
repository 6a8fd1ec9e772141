"""Promises of a queue, on a few rows: cheap enough to ask before every training."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor

from rdfc_core.contract.global_state import left_alone
from rdfc_core.contract.promises import expect_error, require
from rdfc_core.errors import ShapeError
from rdfc_core.interfaces import MemoryQueue

CASES, WIDTH = 12, 8


def require_queue(queue: MemoryQueue) -> None:
    """Check a queue on twelve cases.

    Args:
        queue: Built, and not allocated yet.

    Raises:
        ContractError: If rows are lost, belong to another case or leave before older ones, a case
            is contrasted with itself, or the content is not saved.
    """
    who = type(queue).__name__
    blank = deepcopy(queue)
    _check_empty(queue, who)
    _check_push(deepcopy(queue), who)
    _check_order(queue, who)
    _check_overflow(deepcopy(queue), who)
    _check_similarities(queue, who)
    _check_saved(queue, blank, who)


def _rows(seed: int, count: int) -> Tensor:
    drawn = torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(drawn)


def _lost(queue: MemoryQueue, cases: Tensor, rows: Tensor) -> list[int]:
    """The cases of those rows that stand nowhere in the queue."""
    held, kept = queue.read()
    # Halves round in the third digit.
    same = (held[None, :] == cases[:, None]) & (
        (kept[None, :] - rows[:, None]).abs().amax(dim=2) < 1e-2
    )
    return [int(case) for case, there in zip(cases, same.any(dim=1), strict=True) if not there]


def _check_empty(queue: MemoryQueue, who: str) -> None:
    with left_alone(f"{who}.allocate()"):
        queue.allocate(CASES, WIDTH)
    require(
        isinstance(queue.capacity, int) and queue.capacity > 0,
        f"{who}.capacity is {queue.capacity!r} after allocate(); give a positive whole number.",
    )
    given = queue.read()
    require(
        isinstance(given, tuple) and len(given) == 2,
        f"{who}.read() has to give the cases and their rows.",
    )
    cases, rows = given
    expected = (queue.capacity, WIDTH)
    require(
        tuple(rows.shape) == expected and len(cases) == queue.capacity,
        f"{who}.read() gave {tuple(cases.shape)} cases and rows of {tuple(rows.shape)}; give "
        f"({queue.capacity},) and {expected}, a place each, empty or not.",
    )
    require(
        cases.dtype == torch.int64 and bool((cases == -1).all()),
        f"{who}.read() of an empty queue gave the cases {cases.tolist()[:5]} ({cases.dtype}); "
        "give −1, as int64, for each place that is empty.",
    )
    require(torch.isfinite(rows).all(), f"{who}.read() gave NaN or infinite values.")


def _check_push(queue: MemoryQueue, who: str) -> None:
    indices, fresh = torch.tensor([7, 2]), _rows(1, 2)
    with left_alone(f"{who}.push()"):
        queue.push(indices, fresh.clone().requires_grad_())
    _check_similarities(queue, who)
    cases, rows = queue.read()
    require(
        not rows.requires_grad, f"{who}.push() kept the gradient of the embeddings; detach them."
    )
    lost = _lost(queue, indices, fresh)
    require(
        not lost and int((cases >= 0).sum()) == 2,
        f"{who}.push() of the cases 7 and 2 left {cases[cases >= 0].tolist()} in the queue, or "
        "other rows; keep each embedding as it is, with its own case, in a place that is empty.",
    )
    with expect_error(ShapeError, f"{who}.push() of embeddings of another width"):
        queue.push(indices, torch.ones(2, WIDTH + 1))


def _check_order(queue: MemoryQueue, who: str) -> None:
    """Filled beyond its end, in batches of three, it holds the newest."""
    count = queue.capacity + 5
    cases, rows = torch.arange(count) % CASES, _rows(2, count)
    for part, own in zip(cases.split(3), rows.split(3), strict=True):
        queue.push(part, own)
    lost = _lost(queue, cases[-queue.capacity :], rows[-queue.capacity :])
    require(
        not lost,
        f"{who}, filled with 5 more than its {queue.capacity} places, has lost rows of the cases "
        f"{lost[:5]}, which are among the newest; let the oldest go first.",
    )


def _check_overflow(queue: MemoryQueue, who: str) -> None:
    count = queue.capacity + 2
    cases, rows = torch.arange(count) % CASES, _rows(3, count)
    try:
        queue.push(cases, rows)
    except Exception as error:  # whatever the code of another raises
        require(
            False,
            f"{who}.push() of {count} rows, more than its {queue.capacity} places, raised "
            f"{type(error).__name__} ({error}); keep the last of them.",
        )
    require(
        not _lost(queue, cases[2:], rows[2:]),
        f"{who}.push() of more rows than there are places has to keep the last of them.",
    )


def _check_similarities(queue: MemoryQueue, who: str) -> None:
    own, anchors = torch.tensor([0, 5, CASES - 1]), _rows(4, 3).requires_grad_()
    products = queue.similarities(anchors, own)
    cases, rows = queue.read()
    require(
        tuple(products.shape) == (3, queue.capacity),
        f"{who}.similarities() gave {tuple(products.shape)}; give (3, {queue.capacity}), a column "
        "for each place.",
    )
    negative = (cases[None, :] != own[:, None]) & (cases >= 0)[None, :]
    require(
        bool((products[~negative] == -torch.inf).all()),
        f"{who}.similarities() counts rows of the anchor's own case, or empty places; they have to "
        "be minus infinity.",
    )
    expected = (anchors @ rows.T).detach()[negative]
    require(
        torch.allclose(products[negative], expected, atol=1e-5),
        f"{who}.similarities() gave other products than those with the rows of read().",
    )
    require(
        products.requires_grad,
        f"{who}.similarities() has to be differentiable, with gradient to the anchors.",
    )


def _check_saved(queue: MemoryQueue, blank: MemoryQueue, who: str) -> None:
    """Also where the next row goes."""
    blank.allocate(CASES, WIDTH)
    blank.load_state_dict(queue.state_dict())
    for _ in range(2):
        pairs = zip(queue.read(), blank.read(), strict=True)
        require(
            all(torch.equal(*pair) for pair in pairs),
            f"{who}: a queue with the same state_dict reads differently, or goes on in another "
            "place; keep all of it in buffers.",
        )
        for one in (queue, blank):
            one.push(torch.tensor([1, 2, 3]), _rows(5, 3))
