"""The items of the lists, word for word as they are published (``lists/README.md`` says where)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, get_args

ListName = Literal["clear", "metrics", "tripod-ai"]
LISTS: tuple[ListName, ...] = get_args(ListName)
CLEAR, METRICS_LIST, TRIPOD = LISTS


@dataclass(frozen=True)
class ChecklistSource:
    """Where a list comes from.

    Args:
        title: Its short name.
        citation: Who published it, and where.
        doi: Of that article.
    """

    title: str
    citation: str
    doi: str


SOURCES: Mapping[ListName, ChecklistSource] = {
    CLEAR: ChecklistSource(
        "CLEAR",
        "Kocak B, Baessler B, Bakas S, et al. CheckList for EvaluAtion of Radiomics research "
        "(CLEAR): a step-by-step reporting guideline for authors and reviewers endorsed by ESR and "
        "EuSoMII. Insights into Imaging 2023;14:75",
        "10.1186/s13244-023-01415-8",
    ),
    METRICS_LIST: ChecklistSource(
        "METRICS",
        "Kocak B, Akinci D'Antonoli T, Mercaldo N, et al. METhodological RadiomICs Score "
        "(METRICS): a quality scoring tool for radiomics research endorsed by EuSoMII. Insights "
        "into Imaging 2024;15:8",
        "10.1186/s13244-023-01572-w",
    ),
    TRIPOD: ChecklistSource(
        "TRIPOD+AI",
        "Collins GS, Moons KGM, Dhiman P, et al. TRIPOD+AI statement: updated guidance for "
        "reporting clinical prediction models that use regression or machine learning methods. "
        "BMJ 2024;385:e078378",
        "10.1136/bmj-2023-078378",
    ),
}

LICENCE = "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)"
"""Of the items' wording, which stands here unchanged."""


@dataclass(frozen=True)
class ChecklistItem:
    """An item.

    Args:
        number: As the list has it: ``14``, ``12c``.
        section: As the list has it.
        text: Word for word.
        weight: Of the score; 0 in lists without one.
    """

    number: str
    section: str
    text: str
    weight: float = 0.0


def items_of(name: ListName) -> tuple[ChecklistItem, ...]:
    """All items of a list, in its order."""
    path = files("rdfc_core.report.checklist").joinpath("lists", f"{name}.csv")
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return tuple(
        ChecklistItem(row["number"], row["section"], row["item"], float(row.get("weight") or 0))
        for row in rows
    )
