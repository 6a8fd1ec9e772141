"""The lists, filled: every item once, with its answer; and the METRICS score with its bounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rdfc_core.report.checklist.answer import (
    AUTHORS,
    MET,
    NOT_APPLICABLE,
    NOT_MET,
    PARTLY,
    STATUSES,
    ItemAnswer,
    Status,
)
from rdfc_core.report.checklist.evidence import Evidence
from rdfc_core.report.checklist.items import METRICS_LIST, ChecklistItem, ListName, items_of
from rdfc_core.report.checklist.questions import QUESTIONS

BANDS = ((20, "very low"), (40, "low"), (60, "moderate"), (80, "good"), (101, "excellent"))
"""What the score's tool calls scores below each number."""


@dataclass(frozen=True)
class FilledItem:
    """An item with its answer."""

    item: ChecklistItem
    answer: ItemAnswer


@dataclass(frozen=True)
class QualityScore:
    """The METRICS score, in percent, as far as a run can tell.

    Args:
        low: If nothing that is open is answered with yes.
        high: If all of it is.
        open: Items that decide between them: for the authors, or partly met.
        left_out: Conditional items that do not apply: neither in the numerator nor below it.
    """

    low: float
    high: float
    open: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def bands(self) -> str:
        """``low``, or ``low to good``."""
        names = list(dict.fromkeys((band(self.low), band(self.high))))
        return " to ".join(names)


@dataclass(frozen=True)
class FilledList:
    """A list with all of its items answered.

    Args:
        name: Of the list.
        items: In its order.
        score: Of METRICS alone.
    """

    name: ListName
    items: tuple[FilledItem, ...]
    score: QualityScore | None = None

    @property
    def counts(self) -> Mapping[Status, int]:
        """How many items have each status."""
        found = Counter(one.answer.status for one in self.items)
        return {status: found[status] for status in STATUSES if found[status]}


def band(score: float) -> str:
    """What the METRICS tool calls a score."""
    return next(name for below, name in BANDS if score < below)


def fill(run: Evidence, name: ListName) -> FilledList:
    """ItemAnswer every item of a list.

    Raises:
        DataError: If a file of the run folder is damaged.
    """
    questions = QUESTIONS[name]
    items = tuple(FilledItem(item, questions[item.number](run)) for item in items_of(name))
    return FilledList(name, items, score(items) if name == METRICS_LIST else None)


def score(items: Sequence[FilledItem]) -> QualityScore:
    """100 x weights answered with yes / weights of the items that apply.

    ``partly`` is no answer of the score's: it counts as open, as what is left to the authors. An
    item of theirs that turns out not to apply leaves the score between the same bounds.
    """
    applying = [one for one in items if one.answer.status != NOT_APPLICABLE]
    total = sum(one.item.weight for one in applying)

    def share(*statuses: Status) -> float:
        given = sum(one.item.weight for one in applying if one.answer.status in statuses)
        return 100 * given / total if total else 0.0

    return QualityScore(
        share(MET),
        share(MET, PARTLY, AUTHORS),
        tuple(o.item.number for o in applying if o.answer.status in (PARTLY, AUTHORS)),
        tuple(o.item.number for o in items if o.answer.status == NOT_APPLICABLE),
    )


def missed(filled: FilledList) -> tuple[FilledItem, ...]:
    """Items that the run shows not to be met."""
    return tuple(one for one in filled.items if one.answer.status == NOT_MET)
