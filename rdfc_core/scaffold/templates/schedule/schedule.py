"""A learning rate that falls in a straight line."""

from __future__ import annotations

from rdfc_core.interfaces import Schedule

from .config import ExampleConfig


class Example(Schedule):
    """From the peak to a share of it, by the same amount at every step."""

    def __init__(self, config: ExampleConfig) -> None:
        self.config = config

    def factor(self, step: int, steps: int) -> float:
        """1 at the first step, and ``end`` after the last."""
        return 1 - (1 - self.config.end) * step / steps
