"""What rdfc relies on in an `Objective`."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING

from rdfc_core.contract.promises import expect_error, require, require_kind
from rdfc_core.errors import ShapeError
from rdfc_core.testing.assertions import conformance

if TYPE_CHECKING:
    from torch import Tensor

    from rdfc_core.interfaces import Memory, Objective

CASES, BATCH, WIDTH = 24, 8, 32


@conformance
def check_objective(objective: Objective) -> None:
    """Check an objective on random embeddings of eight out of 24 cases.

    Args:
        objective: Built.

    Raises:
        AssertionError: If the loss is no finite scalar with gradient, depends on anything but its
            arguments, writes to the memory, does not prefer views that agree, or shapes that
            differ pass, or if it is another one in a precision of runs than in float64.
    """
    import torch

    from rdfc_core.interfaces import Objective
    from rdfc_core.testing.precision import require_exact_objective

    who = require_kind(objective, Objective)
    for flag in ("uses_memory", "positive_from_memory"):
        value = getattr(objective, flag)
        require(isinstance(value, bool), f"{who}.{flag} has to be True or False, and is {value!r}.")
    bank_a, bank_b = _unit(0, CASES), _unit(1, CASES)
    a, b = _unit(2, BATCH), _unit(3, BATCH)
    memory = _memory(objective, bank_a, bank_b)

    everywhere = torch.get_rng_state()
    loss = _check_forward(deepcopy(objective), a, b, memory(), who)
    require(
        torch.equal(everywhere, torch.get_rng_state()),
        f"{who} draws from torch's global generator; use memory.generator.",
    )
    again = deepcopy(objective)(a, b, memory())[0]
    require(
        torch.equal(loss, again.detach()),
        f"{who} gave {loss:.6g} and then {again:.6g} for the same arguments; draw all randomness "
        "from memory.generator.",
    )
    with expect_error(ShapeError, f"{who} of embeddings {WIDTH} and {WIDTH - 1} wide"):
        deepcopy(objective)(a, b[:, :-1], memory())
    same = _memory(objective, bank_a, None)()  # one view drawn twice
    require(
        torch.isfinite(deepcopy(objective)(a, b, same)[0]),
        f"{who} is not finite where both views share one memory.",
    )
    _check_agreement(objective, bank_a, who)
    require_exact_objective(objective, memory, a, b)


def _unit(seed: int, rows: int) -> Tensor:
    import torch

    rows_drawn = torch.randn(rows, WIDTH, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(rows_drawn)


def _memory(objective: Objective, bank_a: Tensor, bank_b: Tensor | None) -> Callable[..., Memory]:
    """Makes a new memory of this content at each call, or one that must not be touched."""
    import torch

    from rdfc_core.interfaces import Memory
    from rdfc_core.testing.partners import memory_of

    untouchable = _Untouchable(objective)

    def make(dtype: torch.dtype = torch.float32, device: str = "cpu") -> Memory:
        a = memory_of(bank_a).to(device, dtype) if objective.uses_memory else untouchable
        b = a
        if bank_b is not None and objective.uses_memory:
            b = memory_of(bank_b).to(device, dtype)
        generator = torch.Generator().manual_seed(5)
        indices = torch.arange(BATCH, device=device)
        return Memory(indices, a, b, generator)  # type: ignore[arg-type]

    return make


class _Untouchable:
    """Stands where an objective without memory must not look."""

    def __init__(self, objective: Objective) -> None:
        self._who = type(objective).__name__

    def __getattr__(self, name: str) -> None:
        raise AssertionError(
            f"{self._who} says uses_memory = False and asks the memory for {name}; set it to True."
        )


def _check_forward(objective: Objective, a: Tensor, b: Tensor, memory: Memory, who: str) -> Tensor:
    import torch

    a, b = a.clone().requires_grad_(), b.clone().requires_grad_()
    before = a.detach().clone(), b.detach().clone(), _content(objective, memory)
    result = objective(a, b, memory)
    complaint = objective.complaint(result)
    require(complaint is None, str(complaint))
    loss = result[0]
    require(torch.isfinite(loss), f"{who} gave the loss {loss}; give one finite scalar.")
    loss.backward()
    gradients = [gradient for gradient in (a.grad, b.grad) if gradient is not None]
    for name, view in (("a", a), ("b", b)):
        require(
            objective.positive_from_memory or (view.grad is not None and view.grad.any()),
            f"{who}: no gradient reaches the embeddings {name}, so that a tower would learn "
            "nothing; do not detach them.",
        )
    require(
        any(gradient.any() for gradient in gradients)
        and all(torch.isfinite(gradient).all() for gradient in gradients),
        f"{who}: the gradient of the embeddings is zero, NaN or infinite.",
    )
    require(
        torch.equal(before[0], a.detach()) and torch.equal(before[1], b.detach()),
        f"{who} changed the embeddings it was given; work on copies.",
    )
    for old, new in zip(before[2], _content(objective, memory), strict=True):
        require(
            torch.equal(old, new),
            f"{who} wrote to the memory; it only reads: the pretext task updates it.",
        )
    detached: Tensor = loss.detach()
    return detached


def _content(objective: Objective, memory: Memory) -> list[Tensor]:
    if not objective.uses_memory:
        return []
    return [rows.clone() for one in (memory.a, memory.b) for _, rows in one.all_chunks()]


def _check_agreement(objective: Objective, bank: Tensor, who: str) -> None:
    """Views that agree cost less than views whose cases are exchanged."""
    import torch

    own = bank[:BATCH]
    agreeing = deepcopy(objective)(own, own, _memory(objective, bank, bank)())[0]
    exchanged = torch.cat([own.roll(1, dims=0), bank[BATCH:]])
    other = deepcopy(objective)(own, exchanged[:BATCH], _memory(objective, bank, exchanged)())[0]
    require(
        agreeing < other,
        f"{who} is {agreeing:.4g} for two views that agree and {other:.4g} for views of exchanged "
        "cases; the first has to be lower.",
    )
    alike = own.clone().requires_grad_()
    deepcopy(objective)(alike, alike, _memory(objective, bank, bank)())[0].backward()
    require(
        alike.grad is None or torch.isfinite(alike.grad).all(),
        f"{who}: the gradient where both views agree is NaN or infinite; keep roots and logarithms "
        "from 0.",
    )
