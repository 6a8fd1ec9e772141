"""What training relies on in a loss and what is logged with it; cheap enough for every step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor


def complaint_about_loss(loss: Any, logs: Any, who: str) -> str | None:
    """What is wrong with a loss and its logs, in one sentence, or None.

    Their values are not looked at: that would wait for the device at every step.

    Args:
        loss: Should be a scalar tensor with gradient.
        logs: Should map names to scalar tensors without gradient.
        who: Who gave them, for the sentence.
    """
    if not isinstance(loss, Tensor) or loss.ndim != 0:
        given = f"a tensor {tuple(loss.shape)}" if isinstance(loss, Tensor) else repr(loss)
        return f"{who} gave the loss {given}; give one finite scalar, as a tensor."
    if not loss.requires_grad:
        return f"{who}: the loss carries no gradient; do not detach what it is made of."
    if not isinstance(logs, Mapping):
        return f"{who} gave the logs {logs!r}; give a mapping of names to scalar tensors."
    for name, value in logs.items():
        if not isinstance(value, Tensor) or value.ndim != 0 or value.requires_grad:
            remedy = "detach it" if isinstance(value, Tensor) else f"{value!r} is none"
            return f"{who}: the log {name!r} has to be a scalar tensor without gradient; {remedy}."
    return None
