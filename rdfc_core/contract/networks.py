"""Promises of what gives batches to networks, and of the networks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from rdfc_core.contract.promises import require
from rdfc_core.errors import with_article
from rdfc_core.interfaces.collated import Collated, alike, tensors


def require_batch(batch: Any, cases: int, who: str) -> None:
    """A view collates cases to float32 on the CPU, a finite row a case; or to a mapping of such."""
    require(
        isinstance(batch, Tensor) or (isinstance(batch, Mapping) and batch),
        f"{who}.collate() gave {described(batch)}; it has to give a tensor, or a mapping of "
        "tensors.",
    )
    whole = (torch.int64, torch.bool) if isinstance(batch, Mapping) else ()
    for one in tensors(batch):
        require(
            isinstance(one, Tensor) and one.ndim > 0 and len(one) == cases,
            f"{who}.collate() gave {described(one)} for {cases} cases; it has to give a tensor "
            "with one row for each.",
        )
        require(
            one.device.type == "cpu" and one.dtype in (torch.float32, *whole),
            f"{who}.collate() gave {one.dtype} on {one.device}; give float32 on the CPU (in a "
            "mapping also int64 and bool).",
        )
        require(
            torch.isfinite(one).all(), f"{who}.collate() left NaN or infinite values; fill them."
        )


def require_draw(drawn: Any, batch: Collated, before: Collated, who: str) -> None:
    """A variation of a batch is finite, new, and like the batch in shape, type and device."""
    require(alike(batch, before), f"{who}.augment() changed the batch; return a new one.")
    require(
        isinstance(drawn, Tensor | Mapping) and alike(drawn, batch, _as_before),
        f"{who}.augment() made {described(drawn)} of {described(batch)}; keep shape, type and "
        "device.",
    )
    for one in tensors(drawn):
        require(torch.isfinite(one).all(), f"{who}.augment() made NaN or infinite values.")


def _as_before(one: Tensor, other: Tensor) -> bool:
    return (one.shape, one.dtype, one.device) == (other.shape, other.dtype, other.device)


def require_rows(rows: Any, cases: int, out_features: int | None, who: str) -> None:
    """A network gives a row a case, as wide as it says. Waits for no device.

    Args:
        rows: What it gave.
        cases: How many it was given.
        out_features: What it says of its width; None: it says nothing.
        who: What gave them.
    """
    require(
        isinstance(rows, Tensor) and rows.ndim == 2 and len(rows) == cases,
        f"{who} gave {tuple(rows.shape) if isinstance(rows, Tensor) else described(rows)} for a "
        f"batch of {cases}; give ({cases}, F): pool over space and return one tensor.",
    )
    require(
        out_features is None or rows.shape[1] == out_features,
        f"{who} has out_features {out_features} and gave {tuple(rows.shape)} for {cases} cases; "
        f"give ({cases}, out_features).",
    )


def require_finite(rows: Tensor, who: str) -> None:
    """Features are numbers."""
    require(torch.isfinite(rows).all(), f"{who} gave features that are NaN or infinite.")


def described(value: Any) -> str:
    """Tensors by shape and type, anything else by its class."""
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {value.dtype}"
    if isinstance(value, Mapping) and value:
        return ", ".join(f"{name}: {described(one)}" for name, one in value.items())
    return with_article(type(value).__name__)


def require_normalisation(given: Any, channels: int, who: str) -> None:
    """What `ImageEncoder.normalisation` gives: a mean and a deviation above 0 for each channel."""
    pair = isinstance(given, tuple | list) and len(given) == 2
    require(
        pair and all(_numbers(one, channels) for one in given) and min(given[1]) > 0,
        f"{who} gave {given!r}; give {channels} means and {channels} deviations above 0, as two "
        "sequences of finite numbers.",
    )


def _numbers(values: Any, count: int) -> bool:
    return (
        isinstance(values, Sequence)
        and len(values) == count
        and all(isinstance(value, int | float) and math.isfinite(value) for value in values)
    )
