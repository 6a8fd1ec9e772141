"""How stable each feature is over repeated measurements of the same cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Case
from rdfc_core.evaluation.reliability import Kind, intraclass_correlation
from rdfc_core.interfaces.prepared import Prepared

FEWEST = 3
"""Cases of which a correlation is taken."""

By = Literal["low", "icc"]
COLUMNS = ("feature", "icc", "ci_low", "ci_high", "cases", "stable")
"""Of a table with a row a feature."""


@dataclass(frozen=True, eq=False)
class Stability:
    """Intraclass correlations of F features.

    Args:
        names: (F,).
        icc: The estimates, (F,), NaN where a feature is constant, or too few cases have it.
        low: Lower ends of the 95 % intervals, (F,).
        high: Upper ends, (F,).
        cases: How many cases have the feature in each measurement, (F,).
    """

    names: tuple[str, ...]
    icc: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    cases: NDArray[np.int64]

    def stable(self, threshold: float, by: By = "low") -> NDArray[np.bool_]:
        """Whether each feature reaches the threshold; one without a correlation does not."""
        reached: NDArray[np.bool_] = (self.low if by == "low" else self.icc) >= threshold
        return reached

    def rows(self, threshold: float, by: By = "low") -> list[dict[str, Any]]:
        """A row a feature, with the `COLUMNS`."""
        columns = (self.names, self.icc, self.low, self.high, self.cases)
        stable = self.stable(threshold, by)
        return [
            dict(zip(COLUMNS, (*_plain(row), bool(kept)), strict=True))
            for *row, kept in zip(*columns, stable, strict=True)
        ]


def _plain(row: Sequence[Any]) -> list[Any]:
    return [one.item() if isinstance(one, np.generic) else one for one in row]


def stability_of(
    measured: NDArray[np.float64], names: Sequence[str], kind: Kind = "1,1"
) -> Stability:
    """Of each feature over the cases that have it in every measurement.

    Args:
        measured: (N, K, F): N cases, each measured K times, in F features; NaN where one is
            missing.
        names: (F,).
        kind: As of `intraclass_correlation`.

    Raises:
        DataError: If there are fewer than two measurements or cases.
    """
    complete = ~np.isnan(measured).any(axis=1)
    icc, low, high = (np.full(len(names), np.nan) for _ in range(3))
    patterns, inverse = np.unique(complete, axis=1, return_inverse=True)
    group = inverse.reshape(-1)
    for place in range(patterns.shape[1]):
        rows, columns = (
            np.flatnonzero(patterns[:, place]),
            np.flatnonzero(group == place),
        )
        if len(rows) < FEWEST and len(rows) < len(measured):
            continue
        found = intraclass_correlation(measured[rows][:, :, columns], kind)
        icc[columns], low[columns], high[columns] = found.icc, found.low, found.high
    return Stability(tuple(names), icc, low, high, complete.sum(axis=0))


def table_of(
    prepared: Mapping[str, Mapping[str, Prepared]], case_ids: Sequence[str]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """(N, K, F) of N cases that were measured K times, and the features' names.

    Args:
        prepared: Measurement → case id → features.
        case_ids: N, at least one.
    """
    each = [[one[case_id] for one in prepared.values()] for case_id in case_ids]
    names = each[0][0].names
    return np.stack([np.stack([one.array for one in row]) for row in each]), names


def one_a_patient(cases: Sequence[Case], most: int | None, seed: int) -> list[Case]:
    """One case of each patient, of patients drawn by chance, in the order of the cases.

    Cases of one patient are alike, and the interval of a correlation takes them to be independent.

    Args:
        cases: To draw from.
        most: Patients; None: all.
        seed: Of the draw.
    """
    rng = np.random.default_rng(seed)
    by_patient: dict[str, list[Case]] = {}
    for case in sorted(cases, key=lambda case: case.case_id):
        by_patient.setdefault(case.patient_id, []).append(case)
    patients = sorted(by_patient)
    drawn = rng.permutation(len(patients))[:most]
    chosen = {
        (own := by_patient[patients[place]])[rng.integers(len(own))].case_id for place in drawn
    }
    return [case for case in cases if case.case_id in chosen]
