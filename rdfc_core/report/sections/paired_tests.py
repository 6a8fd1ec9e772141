"""Paired tests between methods: differences, intervals, and p-values corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rdfc_core.report import text
from rdfc_core.report.run_data import RunData
from rdfc_core.report.variants import own_of
from rdfc_core.report.verdict import primary_metric
from rdfc_core.results.metric_facts import heading
from rdfc_core.results.schema import Comparison, MetricFacts
from rdfc_core.results.vocabulary import (
    LABEL_EFFICIENCY,
    TABLES,
    metric_heading,
    short_table_heading,
)

REACHES = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Ends of the axis of differences; those of R² may be larger than 1."""
SHOWN = 0.05
"""A corrected p-value below this is called a difference."""
TESTS = {"paired-bootstrap": "paired bootstrap", "delong": "DeLong"}


@dataclass(frozen=True)
class Strip:
    """One difference as a dot with its interval; positions in percent of the strip's width."""

    against: str
    difference: str
    p: str
    shown: bool
    at: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Field:
    """The study's own method of a table against every other of it.

    Args:
        title: Which table, share of labels, metric and test.
        own: The method that the others are taken from.
        strips: One another method.
        zero: Where no difference lies.
        ticks: Places and numbers of the axis.
        sentence: What comes out, in words.
    """

    title: str
    own: str
    strips: tuple[Strip, ...]
    zero: float
    ticks: tuple[tuple[float, str], ...]
    sentence: str


@dataclass(frozen=True)
class PairedTestRow:
    """One line of the table of all tests."""

    shown: bool
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Differences:
    """What the section shows; ``every`` has all pairs, metrics and tests, DeLong's if any is."""

    fields: tuple[Field, ...]
    every: tuple[PairedTestRow, ...]
    by_delong: bool


def differences(run: RunData) -> Differences | None:
    """The section, or None where nothing was compared."""
    found = run.results.comparisons if run.results else ()
    if not found:
        return None
    keys = sorted({(c.table, c.label_fraction) for c in found}, key=_order)
    fields = (_field(run, table, share) for table, share in keys)
    facts = run.results.metrics if run.results else ()
    ordered = sorted(found, key=lambda c: (*_order(_key(c)), c.test))
    return Differences(
        fields=tuple(field for field in fields if field is not None),
        every=tuple(_pair(one, facts) for one in ordered),
        by_delong=any(one.test == "delong" for one in found),
    )


def _key(one: Comparison) -> tuple[str, float]:
    return one.table, one.label_fraction


def _order(key: tuple[str, float]) -> tuple[int, float]:
    table, share = key
    return list(TABLES).index(table) if table in TABLES else 99, share


def of_own(run: RunData, table: str, share: float) -> tuple[str, list[Comparison]] | None:
    """The study's own method, and what the metric that decides says of it less each other."""
    results = run.results
    metric = primary_metric(results.rows) if results else None
    if results is None:
        return None
    found = [c for c in results.comparisons if _key(c) == (table, share) and c.metric == metric]
    found = [c for c in found if c.test == "paired-bootstrap"] or found
    methods = list(dict.fromkeys(m for c in found for m in (c.method_a, c.method_b)))
    own = own_of(run, table, methods)
    if own is None:
        return None
    turned = (_turned(one, own) for one in found)
    return own, [one for one in turned if one is not None and one.difference is not None]


def _turned(one: Comparison, own: str) -> Comparison | None:
    """The comparison as own less another; None if it is of two others."""
    if one.method_a == own:
        return one
    if one.method_b != own:
        return None
    return _swapped(one)


def _swapped(one: Comparison) -> Comparison:
    """B less A instead of A less B."""

    def minus(value: float | None) -> float | None:
        return None if value is None else -value

    changes = {
        "method_a": one.method_b,
        "method_b": one.method_a,
        "difference": minus(one.difference),
        "ci_low": minus(one.ci_high),
        "ci_high": minus(one.ci_low),
    }
    return one.model_copy(update=changes)


def _field(run: RunData, table: str, share: float) -> Field | None:
    found = of_own(run, table, share)
    if found is None or not found[1]:
        return None
    own, against = found
    shown = [*against, *_with_more_views(run, against[0], own)]
    bounds = [
        abs(value)
        for one in shown
        for value in (one.difference, one.ci_low, one.ci_high)
        if value is not None
    ]
    reach = next((r for r in REACHES if max(bounds) <= r), max(bounds))

    def place(value: float | None) -> float | None:
        return None if value is None else round(50 + 50 * value / reach, 2)

    strips = tuple(
        Strip(
            against=one.method_b if one.method_a == own else f"{one.method_b}, of {one.method_a}",
            difference=_difference(one),
            p=_p(one),
            shown=_shown(one),
            at=place(one.difference) or 0.0,
            low=place(one.ci_low),
            high=place(one.ci_high),
        )
        for one in shown
    )
    of_labels = f", {text.percent(share)} of the labels" if table == LABEL_EFFICIENCY else ""
    return Field(
        title=f"{short_table_heading(table)}{of_labels}: "
        f"{metric_heading(against[0].metric)} of {own} minus that of",
        own=own,
        strips=strips,
        zero=50.0,
        ticks=tuple(
            (place(tick) or 0.0, f"{tick:+g}".replace("-", "−") if tick else "0")
            for tick in (-reach, -reach / 2, 0.0, reach / 2, reach)
        ),
        sentence=in_words(own, against),
    )


def _with_more_views(run: RunData, like: Comparison, own: str) -> list[Comparison]:
    """Beside comparisons of like with like: those in which the own method had further views."""
    found = [
        one
        for one in (run.results.comparisons if run.results else ())
        if (_key(one), one.metric, one.test) == (_key(like), like.metric, like.test)
        and one.difference is not None
    ]
    turned = [_swapped(one) if one.method_b.startswith(f"{own} (") else one for one in found]
    return [one for one in turned if one.method_a.startswith(f"{own} (")]


def in_words(own: str, against: Sequence[Comparison]) -> str:
    """In words: ``rdfc does better than a; it cannot be told apart from b and c``."""
    better = [c.method_b for c in against if _shown(c) and (c.difference or 0.0) > 0]
    worse = [c.method_b for c in against if _shown(c) and (c.difference or 0.0) < 0]
    rest = [c.method_b for c in against if not _shown(c)]
    clauses = [
        f"{lead} {text.listed(names)}"
        for lead, names in (
            ("does better than", better),
            ("does worse than", worse),
            ("cannot be told apart from", rest),
        )
        if names
    ]
    return f"{own} {'; it '.join(clauses)}."


def _shown(one: Comparison) -> bool:
    return one.p_corrected is not None and one.p_corrected < SHOWN


def _pair(one: Comparison, facts: Sequence[MetricFacts]) -> PairedTestRow:
    return PairedTestRow(
        _shown(one),
        (
            short_table_heading(one.table),
            text.percent(one.label_fraction),
            heading(one.metric, facts),
            f"{one.method_a} less {one.method_b}",
            _difference(one),
            text.p_value(one.p),
            text.p_value(one.p_corrected),
            TESTS.get(one.test, one.test),
        ),
    )


def _difference(one: Comparison) -> str:
    if one.difference is None:
        return "–"
    score = f"{one.difference:+z.3f}"
    if one.ci_low is not None and one.ci_high is not None:
        score += f" [{one.ci_low:+z.3f}, {one.ci_high:+z.3f}]"
    return score.replace("-", "−")


def _p(one: Comparison) -> str:
    corrected = text.p_value(one.p_corrected)
    return f"p {text.p_value(one.p)}, corrected {corrected}"
