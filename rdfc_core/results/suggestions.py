"""What to label next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

COLUMNS = ("rank", "case_id", "patient_id", "reason", "score", "label")
DIGITS = 4


@dataclass(frozen=True)
class Suggested:
    """A case to label: its rank, why, what it was chosen by (NaN: nothing), and its thumbnail."""

    rank: int
    case_id: str
    patient_id: str
    reason: str
    score: float
    picture: bytes


@dataclass(frozen=True)
class Suggestions:
    """What to label next.

    Args:
        run: The name of the run's folder.
        strategy: What chose.
        unit: What the budget counts, and a rank stands for.
        cases: The cases in their order; of a patient all of them, with one rank.
        candidates: How many there were to choose from, in units.
        labelled: How many labelled cases the strategy knew.
        failed: Cases that could not be used, each with the reason.
        split: Whose network was asked, where the run has several; otherwise "".
    """

    run: str
    strategy: str
    unit: Literal["case", "patient"]
    cases: tuple[Suggested, ...]
    candidates: int
    labelled: int
    failed: tuple[tuple[str, str], ...] = ()
    split: str = ""

    @property
    def ranks(self) -> int:
        """How many units there are."""
        return len({one.rank for one in self.cases})

    def rows(self) -> list[dict[str, Any]]:
        """A row a case, with an empty cell for its label."""
        return [
            {
                "rank": one.rank,
                "case_id": one.case_id,
                "patient_id": one.patient_id,
                "reason": one.reason,
                "score": round(one.score, DIGITS),
                "label": "",
            }
            for one in self.cases
        ]
