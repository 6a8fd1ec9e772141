"""What a view's cases are as tensors: one, or several by name, and what is done with them alike.

A mapping serves cases that one tensor cannot hold, such as tokens and which of them are real, each
padded to a length that the view has learnt when it was fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Collated: TypeAlias = Tensor | Mapping[str, "Collated"]
"""(N, …), or a mapping of such, nested or not: row n of each is case n."""


def each(cases: Collated, what: Callable[[Tensor], Tensor]) -> Collated:
    """The same structure with ``what`` done to each tensor."""
    if isinstance(cases, Mapping):
        return {name: each(inner, what) for name, inner in cases.items()}
    return what(cases)


def tensors(cases: Collated) -> Iterator[Tensor]:
    """Its tensors, in order."""
    if isinstance(cases, Tensor):
        yield cases
    else:
        for inner in cases.values():
            yield from tensors(inner)


def count(cases: Collated) -> int:
    """N."""
    return len(next(tensors(cases)))


def nbytes(cases: Collated) -> int:
    """Bytes of all its tensors."""
    return sum(one.nbytes for one in tensors(cases))


def rows(cases: Collated, chosen: slice | Tensor | NDArray[np.int64]) -> Collated:
    """Some of the cases."""
    return each(cases, lambda one: one[chosen])


def to_device(cases: Collated, device: torch.device | str, non_blocking: bool = False) -> Collated:
    """The cases on a device."""
    return each(cases, lambda one: one.to(device, non_blocking=non_blocking))


def joined(parts: Sequence[Collated], what: Callable[[list[Tensor]], Tensor]) -> Collated:
    """Parts of one structure, put together tensor by tensor."""
    first = parts[0]
    if isinstance(first, Tensor):
        return what([part for part in parts if isinstance(part, Tensor)])
    return {
        name: joined([part[name] for part in parts if not isinstance(part, Tensor)], what)
        for name in first
    }


def alike(
    one: Collated, other: Collated, same: Callable[[Tensor, Tensor], bool] = torch.equal
) -> bool:
    """Whether two have one structure, and each pair of tensors is the same."""
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        return isinstance(one, Tensor) and isinstance(other, Tensor) and same(one, other)
    return one.keys() == other.keys() and all(alike(one[name], other[name], same) for name in one)
