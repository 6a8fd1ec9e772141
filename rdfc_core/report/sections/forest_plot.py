"""The dot-and-interval chart: one variant of each method, side by side."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from rdfc_core.report import text
from rdfc_core.report.run_data import Method, key_of
from rdfc_core.report.verdict import primary_metric, with_all_labels
from rdfc_core.results.schema import Row
from rdfc_core.results.vocabulary import SUPERVISED, metric_heading

MOST_TICKS = 8
STEPS = tuple(figure * 10.0**power for power in range(-1, 16) for figure in (2, 5, 10))
MAIN, OTHER, CONTROL = "main", "other", "control"


@dataclass(frozen=True)
class Dot:
    """One row of the chart; positions in percent of the chart's width.

    Args:
        method: The method's name.
        detail: Its variant, in words.
        role: ``main``, ``other`` or ``control``: how it is drawn.
        score: Mean and interval in words.
        at: Where the mean lies.
        low: Where the interval begins; None without one.
        high: Where it ends.
        published: Where the published number lies, if there is one.
        published_score: The published number.
    """

    method: str
    detail: str
    role: str
    score: str
    at: float
    low: float | None
    high: float | None
    published: float | None
    published_score: str


@dataclass(frozen=True)
class Chart:
    """The methods side by side."""

    metric: str
    dots: tuple[Dot, ...]
    ticks: tuple[tuple[float, str], ...]
    reference: float | None
    has_published: bool
    summary: str


def role_of(row: Row, main: Method | None) -> str:
    """How the row is drawn: as the main method, another learnt one, or a control."""
    if text.is_control(row):
        return CONTROL
    same = main is not None and key_of(row)[1:] == main[1:]  # in whichever table it stands
    return MAIN if same else OTHER


def chart(rows: Sequence[Row], main: Method | None, stand: Collection[Method]) -> Chart | None:
    """One variant of each method, and of what is trained with labels under the same name.

    Args:
        rows: All rows of the results.
        main: The variant that is judged.
        stand: The variants that stand for their methods.
    """
    metric = primary_metric(rows)
    best: dict[tuple[str, bool], Row] = {}
    for row in with_all_labels(rows, metric):
        key = row.method, row.table == SUPERVISED
        known = best.get(key)
        if known is None or _order(row, stand) > _order(known, stand):
            best[key] = row
    if metric is None or not best:
        return None
    chosen = sorted(best.values(), key=lambda row: -(row.mean or 0.0))
    bounds = [
        value
        for row in chosen
        for value in (row.mean, row.ci_low, row.ci_high, row.published)
        if value is not None
    ]
    low = np.floor(round(min(bounds) * 10, 6)) / 10
    high = max(np.ceil(round(max(bounds) * 10, 6)) / 10, low + 0.1)

    def place(value: float | None) -> float | None:
        return None if value is None else round(float(100 * (value - low) / (high - low)), 2)

    dots = tuple(
        Dot(
            method=row.method,
            detail=text.describe(key_of(row)),
            role=role_of(row, main),
            score=text.interval(row),
            at=place(row.mean) or 0.0,
            low=place(row.ci_low),
            high=place(row.ci_high),
            published=place(row.published),
            published_score="" if row.published is None else text.number(row.published),
        )
        for row in chosen
    )
    return Chart(
        metric=metric_heading(metric),
        dots=dots,
        ticks=tuple((place(t) or 0.0, f"{t:g}") for t in _ticks(float(low), float(high))),
        reference=next((dot.at for dot in dots if dot.role == MAIN), None),
        has_published=any(dot.published is not None for dot in dots),
        summary="; ".join(f"{dot.method} {dot.score}" for dot in dots),
    )


def _order(row: Row, stand: Collection[Method]) -> tuple[bool, float]:
    """The variant that stands for the method goes first, then the best."""
    return key_of(row) in stand, row.mean or 0.0


def _ticks(low: float, high: float) -> list[float]:
    span = high - low
    step = 0.1 if span <= 0.55 else 0.2
    if span > 1.5:  # R² has no lower bound
        step = next(s for s in STEPS if span / s <= MOST_TICKS)
        low = float(np.ceil(low / step)) * step
    return [round(float(t), 2) for t in np.arange(low, high + 0.01, step)]
