"""How columns become numbers: standardised, or a number a category. Free of torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_view_table.preparer import Cell

Rows = Sequence[Sequence[Cell]]
"""The cells of each case: numbers first, then words."""


@dataclass(frozen=True)
class Encoding:
    """What is learnt of the pretext cases' columns.

    Args:
        mean: (n,) of the values that are there, of each column of numbers.
        scale: (n,) their standard deviation; infinite where they do not differ.
        gaps: (n,) whether a value is missing anywhere.
        words: The words of each column of categories, in alphabetical order.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    gaps: NDArray[np.bool_]
    words: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, rows: Rows, numbers: int, categories: int) -> Encoding:
        """Means, spreads, gaps and words of some cases.

        Args:
            rows: At least one case.
            numbers: How many columns of numbers come first.
            categories: How many columns of words follow.
        """
        table = _numbers(rows, numbers)
        there = ~np.isnan(table)
        count = np.maximum(there.sum(axis=0), 1)
        mean = np.where(there, table, 0.0).sum(axis=0) / count
        spread = np.sqrt((np.where(there, table - mean, 0.0) ** 2).sum(axis=0) / count)
        constant = spread <= 1e-12 * np.maximum(1.0, np.abs(mean))
        words = (
            {str(row[numbers + place]) for row in rows if row[numbers + place] is not None}
            for place in range(categories)
        )
        return cls(
            mean,
            np.where(constant, np.inf, spread),
            np.asarray(np.isnan(table).any(axis=0), bool),
            tuple(tuple(sorted(one)) for one in words),
        )

    @property
    def groups(self) -> NDArray[np.int64]:
        """(F,) the column of the list that each column of `apply` comes from."""
        count = len(self.mean)
        of_words = [count + place for place, words in enumerate(self.words) for _ in words]
        return np.array([*range(count), *np.flatnonzero(self.gaps), *of_words], np.int64)

    def apply(self, rows: Rows, clip: float | None) -> NDArray[np.float32]:
        """(N, F): numbers, 0 where one is missing; which are missing; 1 for a case's category.

        Columns of numbers that are never missing among the pretext cases have no column of gaps.

        Args:
            rows: N cases.
            clip: Standard deviations beyond which numbers are moved back.
        """
        count = len(self.mean)
        table = _numbers(rows, count)
        missing = np.isnan(table)
        standard = np.where(missing, 0.0, (table - self.mean) / self.scale)
        if clip is not None:
            standard = standard.clip(-clip, clip)
        parts = [standard, missing[:, self.gaps]]
        for place, words in enumerate(self.words):
            said = [row[count + place] for row in rows]
            parts.append(np.array([[one == word for word in words] for one in said], bool))
        parts = [np.asarray(part, np.float32).reshape(len(rows), -1) for part in parts]
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def state(self) -> dict[str, NDArray[Any]]:
        """As plain arrays."""
        words = np.frombuffer(json.dumps(self.words).encode(), np.uint8)
        return {"mean": self.mean, "scale": self.scale, "gaps": self.gaps, "words": words}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Encoding:
        """What `state` gave.

        Raises:
            ValueError: If the arrays do not belong together.
        """
        words = json.loads(np.asarray(state["words"], np.uint8).tobytes())
        mean, scale = (np.asarray(state[key], np.float64) for key in ("mean", "scale"))
        gaps = np.asarray(state["gaps"], bool)
        if not mean.shape == scale.shape == gaps.shape:
            raise ValueError("its means, scales and gaps are not of the same columns")
        return cls(mean, scale, gaps, tuple(tuple(map(str, one)) for one in words))


def _numbers(rows: Rows, count: int) -> NDArray[np.float64]:
    found = [[np.nan if one is None else float(one) for one in row[:count]] for row in rows]
    return np.array(found, np.float64).reshape(len(rows), count)
