"""Mixed precision for towers alone: the rest of a task is computed in single precision.

Towers are where the time goes, and they stand half precision. A loss does not: a cosine is off by
up to 0.004 there, which a temperature of 0.07 magnifies to 0.06, and a product of matrices over a
batch loses eight bits of its sum. So whoever writes a task or an objective need not think of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from rdfc_core.config.training_settings import AnyPrecision
from rdfc_core.interfaces import Tower
from rdfc_core.training.bfloat16 import refuse_wrong_gradients
from rdfc_core.training.device import concrete
from rdfc_core.utils.overridden import overridden

HALF = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
"""Precision → what towers compute in."""


class _Switch:
    """Whether a step is being computed: towers that are called elsewhere keep their precision."""

    on = False


@contextmanager
def towers_in_half(
    task: nn.Module,
    towers: Iterable[Tower],
    precision: AnyPrecision,
    device: torch.device,
    option: str,
    calls: Iterable[str] = ("forward",),
) -> Iterator[None]:
    """Inside, what the calls compute is in single precision, but for the towers.

    Whatever autocast they are called under, it reaches the towers alone; what those give is single
    precision again. A task whose ``mixed_precision`` is true is left as it is.

    Args:
        task: A pretext, or a network that labels train.
        towers: Its towers.
        precision: Of the training; nothing changes where it is not a mixed one.
        device: Where it is trained.
        option: The key of the study that says the precision.
        calls: The task's methods that this holds for.

    Raises:
        StudyError: If gradients would be wrong in this precision.
    """
    towers = list(towers)
    precision = concrete(precision)
    dtype, whole = HALF.get(precision), getattr(task, "mixed_precision", False)
    refuse_wrong_gradients([task] if whole else towers, precision, device, option)
    if dtype is None or whole:
        yield
        return
    switch = _Switch()
    with ExitStack() as undo:
        for tower in towers:
            undo.enter_context(
                overridden(tower, "forward", _in_half(tower.forward, switch, dtype, device.type))
            )
        for name in calls:
            single = _in_single(getattr(task, name), switch, device.type)
            undo.enter_context(overridden(task, name, single))
        yield


def _in_half(
    forward: Callable[..., Tensor], switch: _Switch, dtype: torch.dtype, device_type: str
) -> Callable[..., Tensor]:
    def call(batch: Any) -> Tensor:
        if not switch.on:
            return forward(batch)
        with torch.autocast(device_type, dtype=dtype):
            return forward(batch).float()

    return call


def _in_single(method: Callable[..., Any], switch: _Switch, device_type: str) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        before, switch.on = switch.on, True
        try:
            with torch.autocast(device_type, enabled=False):
                return method(*arguments, **named)
        finally:
            switch.on = before

    return call
