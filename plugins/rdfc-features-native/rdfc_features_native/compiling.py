"""Machine code from Python functions, compiled once a machine and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function as Numba compiles it at its first call: without the GIL, and cached.

    The cache lies beside the source where that can be written, else in the user's cache folder
    (or in ``NUMBA_CACHE_DIR``); where neither can be written, each process compiles anew.
    Division by zero gives infinity or NaN, as in NumPy.
    """
    return _compile(function, set())


def compiled_sums(function: Function) -> Function:
    """The same for long sums, whose terms are added in any order: several at once is faster."""
    return _compile(function, {"reassoc", "nsz"})


def _compile(function: Function, freedoms: set[str]) -> Function:
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": freedoms}
    try:
        return cast(Function, numba.njit(cache=True, **options)(function))
    except RuntimeError:  # Numba found no folder that it may write to
        return cast(Function, numba.njit(**options)(function))
