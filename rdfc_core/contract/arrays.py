"""What checks ask of arrays of values. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.contract.promises import require


def same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Equal in shape, type and every value; NaN equals NaN."""
    return (
        one.shape == other.shape
        and one.dtype == other.dtype
        and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    )


def require_missing(
    values: NDArray[Any], names: tuple[str, ...], missing: Mapping[str, str], who: str
) -> None:
    """NaN where, and only where, a reason is given."""
    lacking = {names[place] for place in np.flatnonzero(~np.isfinite(values))}
    if lacking == set(missing) and all(missing.values()) and not np.isinf(values).any():
        return  # nothing to tell: no need to look at each name
    unknown = sorted(set(missing) - set(names))
    require(not unknown, f"{who}: missing names {unknown[:3]}, which are no features; mend that.")
    for name, value in zip(names, values, strict=True):
        require(
            not np.isinf(value), f"{who}: feature {name} is infinite; return NaN with a reason."
        )
        require(
            bool(np.isnan(value)) == (name in missing),
            f"{who}: feature {name} is {value} and its reason in missing is "
            f"{missing.get(name)!r}; give a reason for every NaN and for nothing else.",
        )
    empty = [name for name, reason in missing.items() if not reason]
    require(not empty, f"{who}: features {empty[:3]} are missing without a reason; say why.")
