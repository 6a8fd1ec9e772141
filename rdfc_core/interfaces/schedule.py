"""Schedule: the course of the learning rate over a training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar


class Schedule(ABC):
    """A factor on the highest learning rate, step by step. Built as ``Class(config)``.

    The number of steps is known from the beginning. The course that waits until the task is learnt
    (``warmup-stable-decay``) is core's own.

    Attributes:
        warms_up: True if the linear warm-up that a study may ask for (``pretrain.warmup_steps``)
            goes before it; False of a schedule that rises by itself.
    """

    warms_up: ClassVar[bool] = True

    @abstractmethod
    def factor(self, step: int, steps: int) -> float:
        """The factor of one step, from 0 to 1; the same at every call.

        Args:
            step: Counted from 0, after the warm-up.
            steps: How many there are after the warm-up, at least 1.

        Called:
            Before every step, in every process of a training.
        """
