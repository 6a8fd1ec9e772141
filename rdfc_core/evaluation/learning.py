"""How methods learn and answer: from rows of labelled cases to probabilities of any rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation.members import Member

Rows = NDArray[np.int64]
"""Places among the cases of a `rdfc_core.evaluation.linear_probe.Bench`."""


def run_of(rows: Rows) -> Rows | slice:
    """The same rows as a slice where each follows the one before: no copy is taken of a table."""
    if len(rows) and rows[0] >= 0 and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
        return slice(int(rows[0]), int(rows[0]) + len(rows))
    return rows


@dataclass(frozen=True)
class Taught:
    """A method that has learnt: called with rows it gives what it says of them.

    Args:
        say: From rows to probabilities, (n, C).
        member: The same method in the form in which it is saved.
    """

    say: Callable[[Rows], NDArray[np.float64]]
    member: Callable[[], Member]

    def __call__(self, asked: Rows) -> NDArray[np.float64]:
        """Class probabilities, (n, C)."""
        return self.say(asked)


Learner = Callable[[Rows], Taught]
"""Trains on the rows it is given, and on no other."""
