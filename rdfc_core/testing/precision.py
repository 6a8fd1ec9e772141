"""What rdfc relies on in the precisions that runs use: float32, and halves under autocast.

The reference is float64. Losses are compared by their scale, ``max(1, |loss|)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from rdfc_core.contract.memories import ROWS, WIDTH
from rdfc_core.contract.promises import require
from rdfc_core.interfaces.collated import Collated, to_device

if TYPE_CHECKING:
    from rdfc_core.interfaces import Memory, MemoryQueue, MemoryStore, Objective

TOLERANCE = 1e-5
"""Of a loss in any precision, by its scale; float32 has seven digits."""
GRADIENT_TOLERANCE = 1e-4
"""Of a gradient, by the largest of its numbers."""


def autocasts() -> list[tuple[str, torch.dtype]]:
    """Device and type of each autocast that a run may use here; float16 is for GPUs alone."""
    found = [("cpu", torch.bfloat16)]
    if torch.cuda.is_available():
        found += [("cuda", torch.bfloat16), ("cuda", torch.float16)]
    return found


def require_exact_objective(
    objective: Objective, memory: Callable[..., Memory], a: Tensor, b: Tensor
) -> None:
    """A loss is the same in every precision, and its gradients are numbers.

    Args:
        objective: Built.
        memory: Makes a new memory of the same rows for a type and a device.
        a: Unit-length embeddings of one view, (B, D).
        b: Of the other.

    Raises:
        ContractError: If it is not.
    """
    who, single = type(objective).__name__, torch.float32
    expected = _reference(objective, memory, a, b)
    _require_digits(objective, memory, a, b)
    _require_close(_scored(objective, memory, a, b), expected, f"{who} in float32", gradients=True)
    for device, half in autocasts():
        near_a, near_b = a.to(device), b.to(device)
        how = f"{who} under autocast to {half} on {device}"
        result = _scored(objective, memory, near_a, near_b, half)
        _require_close(result, expected, how, gradients=True)
        near_a, near_b = near_a.to(half), near_b.to(half)
        result = _scored(objective, memory, near_a, near_b, half)
        exact = _reference(objective, memory, near_a.cpu().double(), near_b.cpu().double())
        _require_close(result, exact, f"{how}, of embeddings in {half}", gradients=False)
        require(result[0].dtype == single, f"{how} gave a loss in {result[0].dtype}; keep float32.")


Scored = tuple[Tensor, list[Tensor]]
"""A loss, and its gradients by the two embeddings."""


def _reference(objective: Objective, memory: Callable[..., Memory], a: Tensor, b: Tensor) -> Scored:
    who = type(objective).__name__
    double = deepcopy(objective).cpu().double()
    result = _scored(double, memory, a.double(), b.double())
    require(
        result[0].dtype == torch.float64,
        f"{who} made {result[0].dtype} of embeddings in float64; keep the type of what is given.",
    )
    return result


def _require_digits(
    objective: Objective, memory: Callable[..., Memory], a: Tensor, b: Tensor
) -> None:
    """A step of 1e-9 along the gradient moves a loss in float64, unless its inputs are narrowed."""
    double = deepcopy(objective).cpu().double()
    a, b = a.double().requires_grad_(), b.double().requires_grad_()
    loss, _ = double.score(a, b, memory(torch.float64, "cpu"))
    loss.backward()
    moved_a, moved_b = (
        one.detach() + (0 if one.grad is None else 1e-9 * one.grad.sign()) for one in (a, b)
    )
    moved = moved_a.requires_grad_(), moved_b.requires_grad_()
    there, _ = double.score(*moved, memory(torch.float64, "cpu"))
    require(  # float64 rounds in the sixteenth
        abs(float(there.detach() - loss.detach())) > 1e-13 * max(1.0, abs(float(loss.detach()))),
        f"{type(objective).__name__} does not see the ninth digit of embeddings in float64: it "
        "narrows what it is given; keep its type.",
    )


def _scored(
    objective: Objective,
    memory: Callable[..., Memory],
    a: Tensor,
    b: Tensor,
    half: torch.dtype | None = None,
) -> Scored:
    """As a pretext calls it; under autocast to a half, if one is named."""
    a, b = a.clone().requires_grad_(), b.clone().requires_grad_()
    kept = torch.float64 if a.dtype == torch.float64 else torch.float32
    own, device = deepcopy(objective).to(a.device), a.device.type
    with torch.autocast(device, dtype=half, enabled=half is not None):
        loss, _ = own.score(a, b, memory(kept, device))
    loss.backward()
    return loss.detach(), [one.grad for one in (a, b) if one.grad is not None]


def _require_close(result: Scored, expected: Scored, how: str, gradients: bool) -> None:
    require_same_loss(result[0], expected[0], how)
    require(
        all(bool(torch.isfinite(one).all()) for one in result[1]),
        f"{how}: the gradient of the embeddings is NaN or infinite.",
    )
    if not gradients:
        return
    for one, exact in zip(result[1], expected[1], strict=True):
        off = float((one.cpu().double() - exact).abs().max())
        require(
            off <= GRADIENT_TOLERANCE * max(1e-12, float(exact.abs().max())),
            f"{how}: the gradient is off by {off:.2g}, of {float(exact.abs().max()):.2g} in "
            "float64; compute in at least float32.",
        )


def require_same_loss(
    loss: Tensor, expected: Tensor, how: str, tolerance: float = TOLERANCE
) -> None:
    """A loss is that of double precision, by its scale."""
    exact, given = float(expected.detach()), float(loss.detach())
    require(
        abs(given - exact) <= tolerance * max(1.0, abs(exact)),
        f"{how} is {given:.9g}, and {exact:.9g} in float64; compute in at least float32.",
    )


def require_exact_memory(store: MemoryStore) -> None:
    """A memory keeps single precision, also where it is used under autocast.

    Args:
        store: Built, and not allocated yet.

    Raises:
        ContractError: If it does not.
    """
    who, keeps = type(store).__name__, store.keeps
    tolerance = TOLERANCE if keeps == torch.float32 else float(torch.finfo(keeps).eps)
    fresh = torch.nn.functional.normalize(torch.randn(2, WIDTH, generator=_generator(1)))
    indices, everything = torch.tensor([3, 5]), torch.arange(ROWS)
    plain = _allocated(store)
    plain.update(indices, fresh)
    plain.end_epoch()
    expected = plain.read(everything)
    require(
        expected.dtype == torch.float32,
        f"{who}.read() gave {expected.dtype}; give float32, whatever it is kept in.",
    )
    for half in (torch.bfloat16, torch.float16):
        require(
            keeps != torch.float32 or not torch.equal(expected, expected.to(half).float()),
            f"{who} keeps its rows in {half} and says {keeps}; keep float32, or set keeps.",
        )
    products = plain.similarities(fresh, 5, indices, _generator(2))
    rows = plain.negatives(5, indices, _generator(2)).double()
    exact = (rows * fresh.double()[:, None]).sum(dim=2)
    require(
        torch.allclose(products.double(), exact, rtol=0, atol=tolerance),
        f"{who}.similarities() differ from the products of its negatives in float64; compute in "
        "the type of the anchors.",
    )
    cast = _allocated(store)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast.update(indices, fresh)
        cast.end_epoch()
        rows = cast.read(everything)
    require(
        rows.dtype == torch.float32 and torch.allclose(rows, expected, rtol=0, atol=tolerance),
        f"{who} under autocast gives other rows; leave autocast in update() and read().",
    )


def require_exact_queue(queue: MemoryQueue) -> None:
    """A queue keeps single precision, also where it is used under autocast.

    Args:
        queue: Built, and not allocated yet.

    Raises:
        ContractError: If it does not.
    """
    who, keeps = type(queue).__name__, queue.keeps
    tolerance = TOLERANCE if keeps == torch.float32 else float(torch.finfo(keeps).eps)
    fresh = torch.nn.functional.normalize(torch.randn(2, WIDTH, generator=_generator(1)))
    indices = torch.tensor([3, 5])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        queue.allocate(ROWS, WIDTH)
        queue.push(indices, fresh)
        cases, rows = queue.read()
    require(
        rows.dtype == torch.float32,
        f"{who}.read() gave {rows.dtype}; give float32, whatever it is kept in.",
    )
    held = torch.stack([rows[cases == case][0] for case in indices])
    require(
        torch.allclose(held, fresh, rtol=0, atol=tolerance),
        f"{who} under autocast gives other rows than it was given: it narrows them. Keep {keeps}, "
        "or say in keeps what it keeps.",
    )
    products = queue.similarities(fresh, indices.flip(0))
    exact = held.double() @ fresh.double().T
    given = torch.stack([products[0][cases == 3][0], products[1][cases == 5][0]])
    require(
        torch.allclose(given.double(), exact.diagonal(), rtol=0, atol=tolerance),
        f"{who}.similarities() differ from the products of its rows in float64; compute in the "
        "type of the anchors.",
    )


def require_network_in_halves(network: nn.Module, batch: Collated, who: str) -> None:
    """A network gives finite features and gradients in every precision that it is trained in.

    3D convolutions are not trained in bfloat16 on a processor that gets their gradients wrong.
    """
    from rdfc_core.training.bfloat16 import has_wrong_gradients

    require(
        network.eval()(batch).dtype == torch.float32,
        f"{who} gave another type than the float32 that it was given; keep it.",
    )
    for device, half in autocasts():
        if device == "cpu" and has_wrong_gradients(network):
            continue
        there = deepcopy(network).to(device).train()
        with torch.autocast(device, dtype=half):
            features = there(to_device(batch, device))
        require(
            torch.isfinite(features).all(),
            f"{who} gave features that are NaN or infinite under autocast to {half} on {device}.",
        )
        features.float().sum().backward()
        bad = [
            name
            for name, parameter in there.named_parameters()
            if parameter.grad is not None and not torch.isfinite(parameter.grad).all()
        ]
        require(
            not bad,
            f"{who}: the gradient of {bad[:1]} is NaN or infinite under autocast to {half} on "
            f"{device}.",
        )


def _allocated(store: MemoryStore) -> MemoryStore:
    copy = deepcopy(store)
    copy.allocate(ROWS, WIDTH, _generator(0))
    return copy


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@contextmanager
def without_dropout(network: nn.Module) -> Iterator[None]:
    """Inside, nothing is dropped: masks differ between types of numbers."""
    layers = [m for m in network.modules() if isinstance(m, nn.modules.dropout._DropoutNd)]
    before = [layer.p for layer in layers]
    for layer in layers:
        layer.p = 0.0
    try:
        yield
    finally:
        for layer, p in zip(layers, before, strict=True):
            layer.p = p
