"""What the view of handcrafted features asks of a harmoniser. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.contract.harmonisers import require_sentences, require_transformed
from rdfc_core.errors import DataError
from rdfc_core.interfaces.harmoniser import Harmoniser
from rdfc_core.interfaces.prepared import Prepared
from rdfc_core.plugin.attribution import held_to_contract

PREFIX = "harmonise."
"""What the names of a harmoniser's arrays begin with, among those of its view."""


class HarmonisedFeatures:
    """The features of cases, through a harmoniser where the study names one.

    Args:
        harmoniser: None: features stay as they were measured.
    """

    def __init__(self, harmoniser: Harmoniser | None) -> None:
        self.harmoniser = harmoniser

    @property
    def columns(self) -> tuple[str, ...]:
        """What the harmoniser has to be told of each case."""
        return () if self.harmoniser is None else tuple(self.harmoniser.columns)

    def fit(self, prepared: Sequence[Prepared]) -> None:
        """Learn from these cases, and no others.

        Raises:
            DataError: If it cannot be learnt of them.
        """
        if self.harmoniser is not None:
            with held_to_contract(self.harmoniser):
                self.harmoniser.fit(_table(prepared), self._columns_of(prepared))

    def adapt(self, prepared: Sequence[Prepared]) -> tuple[str, ...]:
        """Look at the cases of another place together; what was learnt, in sentences."""
        if self.harmoniser is None or not prepared:
            return ()
        with held_to_contract(self.harmoniser):
            told = self.harmoniser.adapt(_table(prepared), self._columns_of(prepared))
            require_sentences(told, type(self.harmoniser).__name__)
        return told

    def table(self, prepared: Sequence[Prepared]) -> NDArray[np.float64]:
        """(N, F) features of cases, NaN where one is missing.

        Raises:
            DataError: If a case's site is not known.
        """
        table = _table(prepared)
        if self.harmoniser is None:
            return table
        with held_to_contract(self.harmoniser):
            transformed = self.harmoniser.transform(table.copy(), self._columns_of(prepared))
            require_transformed(table, transformed, type(self.harmoniser).__name__)
        return transformed

    def _columns_of(self, prepared: Sequence[Prepared]) -> list[Mapping[str, str]]:
        lacking = {name for name in self.columns for one in prepared if name not in one.columns}
        if lacking:
            raise DataError(
                f"The features come without {', '.join(map(repr, sorted(lacking)))} of their case, "
                "which the harmonisation needs. Give cases that have these columns."
            )
        return [one.columns for one in prepared]

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learnt, as arrays."""
        own = {} if self.harmoniser is None else self.harmoniser.state()
        return {f"{PREFIX}{key}": value for key, value in own.items()}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over what was learnt, from among the arrays of the view.

        Raises:
            ValueError: If the arrays do not belong together.
        """
        own = {k.removeprefix(PREFIX): v for k, v in state.items() if k.startswith(PREFIX)}
        if self.harmoniser is not None:
            self.harmoniser.load_state(own)


def _table(prepared: Sequence[Prepared]) -> NDArray[np.float64]:
    return np.stack([one.array for one in prepared]).astype(np.float64)
