"""Handcrafted features as they were measured, put together for the rows that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdfc_core.interfaces import Prepared
from rdfc_core.views.harmonised import HarmonisedFeatures


@dataclass(frozen=True)
class MeasuredFeatures:
    """(N, F) features, NaN where one is missing, of which no second table is kept.

    A table of 20,000 cases with 1,010 features takes 160 MB beside the cases' own arrays, and most
    studies ask for none of it.

    Args:
        cases: N of one feature view, with the same features.
        harmonised: Takes out of them what their sites add; None: they are as measured.
        columns: (F,) places of those that count, in their order; None: all that were measured.
    """

    cases: Sequence[Prepared]
    harmonised: HarmonisedFeatures | None = None
    columns: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """N."""
        return len(self.cases)

    @property
    def shape(self) -> tuple[int, int]:
        """N, F."""
        if self.columns is not None:
            return len(self.cases), len(self.columns)
        return len(self.cases), len(self.cases[0].array) if self.cases else 0

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> NDArray[np.float64]:
        """The features of some cases, (n, F)."""
        count, width = self.shape
        places = np.arange(count)[rows]
        if self.harmonised is not None and len(places):
            whole = self.harmonised.table([self.cases[place] for place in places])
            return whole if self.columns is None else whole[:, self.columns]
        table = np.empty((len(places), width))
        for row, place in enumerate(places):
            values = self.cases[place].array
            table[row] = values if self.columns is None else values[self.columns]
        return table
