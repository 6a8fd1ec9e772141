"""The tables of results: the judged variants in front, every other one folded behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rdfc_core.report import text
from rdfc_core.report.run_data import Method, RunData, key_of
from rdfc_core.report.sections.forest_plot import role_of
from rdfc_core.report.variants import judged
from rdfc_core.report.verdict import primary_metric
from rdfc_core.results.metric_facts import heading, in_order, lower_is_better
from rdfc_core.results.schema import MetricFacts, Row
from rdfc_core.results.vocabulary import (
    CONTROL,
    LABEL_EFFICIENCY,
    LINEAR,
    PATIENT,
    RANDOM_INIT,
    TABLES,
    table_heading,
)

BASELINE = RANDOM_INIT
"""The control that stands below the table of linear evaluation: what training has to add to."""


@dataclass(frozen=True)
class TableRow:
    """One line: how it is drawn, the method, its variant, and a text a column."""

    role: str
    method: str
    detail: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class MetricGrid:
    """Columns and rows."""

    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


@dataclass(frozen=True)
class MetricTable:
    """One table of results.json.

    Args:
        title: Above it.
        note: What it shows.
        front: One variant a method.
        every: All variants, with all columns; None where the front shows them already.
    """

    title: str
    note: str
    front: MetricGrid
    every: MetricGrid | None


def tables(run: RunData, main: Method | None) -> tuple[MetricTable, ...]:
    """Every table of the results, in the paper's order."""
    rows = run.results.rows if run.results else ()
    names = list(dict.fromkeys(row.table for row in rows))
    names.sort(key=lambda name: list(TABLES).index(name) if name in TABLES else 99)
    return tuple(_table(name, rows, run, main) for name in names)


def _table(name: str, rows: Sequence[Row], run: RunData, main: Method | None) -> MetricTable:
    own = [row for row in rows if row.table == name]
    facts = run.results.metrics if run.results else ()
    if name == LABEL_EFFICIENCY:
        front, every = _by_share(own, main), _grid(own, main, facts)
    else:
        chosen = judged(run)
        stand = {method for (table, _), method in chosen.items() if table == name}
        shown = [row for row in own if key_of(row) in stand or name == CONTROL]
        if name == LINEAR and (CONTROL, BASELINE) in chosen:
            shown += [row for row in rows if key_of(row) == chosen[CONTROL, BASELINE]]
        if not any(row.table == name for row in shown):  # no row has the metric that decides
            shown = own
        front, every = _grid(shown, main, facts), _grid(own, main, facts)
        if {(r.method, r.detail) for r in every.rows} <= {(r.method, r.detail) for r in front.rows}:
            return MetricTable(*_words(name), front, None)
    return MetricTable(*_words(name), front, every)


def _words(name: str) -> tuple[str, str]:
    return table_heading(name), TABLES[name].note if name in TABLES else ""


def _grid(rows: Sequence[Row], main: Method | None, facts: Sequence[MetricFacts]) -> MetricGrid:
    """A line a variant and share, the best first; a column a metric, and one a published number."""
    there = {row.metric for row in rows}
    metrics = in_order(there, facts)
    by_key: dict[tuple[Method, float], dict[str, Row]] = {}
    for row in rows:
        by_key.setdefault((key_of(row), row.label_fraction), {})[row.metric] = row
    shares = len({share for _, share in by_key}) > 1
    published = {row.metric for row in rows if row.published is not None}
    columns = ["Labels"] if shares else []
    for metric in metrics:
        below = " (lower is better)" if lower_is_better(metric, facts) else ""
        columns.append(heading(metric, facts) + below)
        columns += ["Published"] if metric in published else []
    first = metrics[0]

    def order(entry: tuple[tuple[Method, float], dict[str, Row]]) -> tuple[float, bool, float]:
        (key, share), found = entry
        mean = found[first].mean if first in found else None
        baseline = key.method == BASELINE
        return share, baseline, np.inf if mean is None else -mean

    lines = []
    for (key, share), found in sorted(by_key.items(), key=order):
        some = next(iter(found.values()))
        cells = [text.percent(share)] if shares else []
        for metric in metrics:
            cells.append(text.interval(found[metric]) if metric in found else "–")
            cells += [_published(found.get(metric))] if metric in published else []
        cells.append(str(some.n_cases))
        lines.append(TableRow(role_of(some, main), key.method, text.describe(key), tuple(cells)))
    unit = {row.unit for row in rows} == {PATIENT}
    return MetricGrid((*columns, "Patients" if unit else "Cases"), tuple(lines))


def _by_share(rows: Sequence[Row], main: Method | None) -> MetricGrid:
    """A line a method, a column a share of the labels: the metric that decides."""
    metric = primary_metric(rows)
    own = [row for row in rows if row.metric == metric]
    shares = sorted({row.label_fraction for row in own})
    published = {row.label_fraction for row in own if row.published is not None}
    columns: list[str] = []
    for share in shares:
        columns.append(f"{text.percent(share)} of labels")
        columns += ["Published"] if share in published else []
    lines = []
    for key in dict.fromkeys(key_of(row) for row in own):
        found = {row.label_fraction: row for row in own if key_of(row) == key}
        cells: list[str] = []
        for share in shares:
            cells.append(_with_spread(found[share]) if share in found else "–")
            cells += [_published(found.get(share))] if share in published else []
        some = next(iter(found.values()))
        lines.append(TableRow(role_of(some, main), key.method, text.describe(key), tuple(cells)))
    return MetricGrid(tuple(columns), tuple(lines))


def _with_spread(row: Row) -> str:
    """``0.858 [0.801, 0.907] ± 0.012``: interval and standard deviation, where both are known."""
    cell = text.interval(row)
    return f"{cell} ± {row.sd:.3f}" if "[" in cell and row.sd is not None else cell


def _published(row: Row | None) -> str:
    return "–" if row is None else text.number(row.published)
