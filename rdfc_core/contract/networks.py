"""Promises of what gives batches to networks, and of the networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rdfc_core.contract.promises import require


def require_batch(batch: Any, cases: int, who: str) -> None:
    """A view collates cases to float32 on the CPU, a finite row a case."""
    require(
        isinstance(batch, Tensor) and batch.ndim > 0 and len(batch) == cases,
        f"{who}.collate() gave {described(batch)} for {cases} cases; it has to give a tensor with "
        "one row for each.",
    )
    require(
        batch.device.type == "cpu" and batch.dtype == torch.float32,
        f"{who}.collate() gave {batch.dtype} on {batch.device}; give float32 on the CPU.",
    )
    require(torch.isfinite(batch).all(), f"{who}.collate() left NaN or infinite values; fill them.")


def require_draw(drawn: Any, batch: Tensor, before: Tensor, who: str) -> None:
    """A variation of a batch is finite, new, and like the batch in shape, type and device."""
    require(torch.equal(batch, before), f"{who}.augment() changed the batch; return a new one.")
    require(
        isinstance(drawn, Tensor)
        and (drawn.shape, drawn.dtype, drawn.device) == (batch.shape, batch.dtype, batch.device),
        f"{who}.augment() made {described(drawn)} of {described(batch)}; keep shape, type and "
        "device.",
    )
    require(torch.isfinite(drawn).all(), f"{who}.augment() made NaN or infinite values.")


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
    """A tensor by shape and type, anything else by its class."""
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {value.dtype}"
    return f"a {type(value).__name__}"
