"""Promises of a `Harmoniser`, which hold wherever one is used. Free of torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.contract.promises import require


def require_transformed(before: NDArray[np.float64], after: Any, who: str) -> None:
    """Harmonised features are as many, of as many cases, and missing where they were.

    Args:
        before: (N, F) as they were measured.
        after: What `transform` gave.
        who: The harmoniser, for messages.

    Raises:
        ContractError: If they are not.
    """
    require(
        isinstance(after, np.ndarray) and after.shape == before.shape and after.dtype == np.float64,
        f"{who}.transform() has to give float64, {before.shape}, as many cases and features as it "
        "was given.",
    )
    require(
        not np.isinf(after).any() and np.array_equal(np.isnan(after), np.isnan(before)),
        f"{who}.transform() has to leave NaN where a feature is missing, and give finite numbers "
        "elsewhere.",
    )


def require_sentences(told: Any, who: str) -> None:
    """What was learnt of cases of another place are sentences, in a tuple.

    Raises:
        ContractError: If they are not.
    """
    require(
        isinstance(told, tuple) and all(isinstance(one, str) and one for one in told),
        f"{who}.adapt() has to give a tuple of sentences.",
    )
