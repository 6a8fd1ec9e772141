"""What query strategies choose from: cases, or patients with all their cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdfc_core.config.evaluate_settings import LabelUnit
from rdfc_core.interfaces import QueryPool
from rdfc_core.models.linear_model import FeatureTables, joined

LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class PoolCases:
    """Cases of which some may be labelled next.

    Args:
        features: (M, D), what the towers have learnt, all views side by side, rows of unit length.
        patients: (M,).
        classes: Names of the classes.
        unit: What a label is bought for.
    """

    features: NDArray[np.float64]
    patients: tuple[str, ...]
    classes: tuple[str, ...]
    unit: LabelUnit

    @classmethod
    def of(
        cls,
        tables: FeatureTables,
        patients: Sequence[str],
        classes: Sequence[str],
        unit: LabelUnit,
    ) -> PoolCases:
        """Of the features of each view, (M, F)."""
        return cls(of_unit_length(joined(tables)), tuple(patients), tuple(classes), unit)

    def units(self, places: Sequence[int]) -> list[list[int]]:
        """What a label may be bought for: each of the cases, or the cases of each patient."""
        if self.unit == "case":
            return [[place] for place in places]
        found: dict[str, list[int]] = {}
        for place in places:
            found.setdefault(self.patients[place], []).append(place)
        return list(found.values())

    def pool(
        self,
        units: Sequence[Sequence[int]],
        labelled: Sequence[int],
        truth: NDArray[np.int64],
        probabilities: NDArray[np.float64] | None,
    ) -> QueryPool:
        """The candidates as a strategy sees them.

        Args:
            units: The cases of each candidate.
            labelled: Places of the labelled cases.
            truth: Their class indices, (L,).
            probabilities: What is said of all M cases, (M, C); None without a model.
        """
        rows = np.stack([self.features[list(unit)].mean(axis=0) for unit in units])
        said = None
        if probabilities is not None:
            said = np.stack([probabilities[list(unit)].mean(axis=0) for unit in units])
        return QueryPool(
            embeddings=of_unit_length(rows),
            patients=tuple(self.patients[unit[0]] for unit in units),
            labelled=self.features[list(labelled)],
            labelled_patients=tuple(self.patients[place] for place in labelled),
            truth=truth.astype(np.int64),
            classes=self.classes,
            probabilities=said,
        )


def of_unit_length(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row over its length."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), LEAST))
