"""Results: every method as a dot with its interval, and the full tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rdfc_core.report import figures, words
from rdfc_core.report.compare import Verdict, primary_metric
from rdfc_core.report.contents import Method, Run, key_of
from rdfc_core.report.figures import Curve, Plot
from rdfc_core.report.palette import DASHES, series_colour
from rdfc_core.report.sections.chart import Chart, chart, role_of
from rdfc_core.results import Row


@dataclass(frozen=True)
class TableRow:
    """One method of a table; a cell holds the score and the published number or ""."""

    role: str
    method: str
    detail: str
    labels: str
    cells: tuple[tuple[str, str], ...]
    n_cases: str


@dataclass(frozen=True)
class Table:
    """One table of results.json."""

    title: str
    note: str
    with_labels: bool
    metrics: tuple[str, ...]
    rows: tuple[TableRow, ...]


@dataclass(frozen=True)
class ResultsSection:
    """What the section shows."""

    chart: Chart | None
    label_efficiency: Plot | None
    tables: tuple[Table, ...]
    coverage: str
    repeats: str


def results(run: Run, verdict: Verdict | None) -> ResultsSection | None:
    """The section, or None while there is no row."""
    if run.results is None or not run.results.rows:
        return None
    rows = run.results.rows
    main = key_of(verdict.main) if verdict else None
    names = list(dict.fromkeys(row.table for row in rows))
    names.sort(key=lambda name: list(words.TABLES).index(name) if name in words.TABLES else 99)
    return ResultsSection(
        chart=chart(rows, main),
        label_efficiency=_label_efficiency(rows),
        tables=tuple(_table(name, rows, main) for name in names),
        coverage=_coverage(run),
        repeats=_repeats(rows),
    )


def _table(name: str, rows: Sequence[Row], main: Method | None) -> Table:
    own = [row for row in rows if row.table == name]
    there = {row.metric for row in own}
    metrics = [m for m in words.METRICS if m in there]
    metrics += sorted(there - set(metrics))
    by_key: dict[tuple[Method, float], dict[str, Row]] = {}
    for row in own:
        by_key.setdefault((key_of(row), row.label_fraction), {})[row.metric] = row
    first = metrics[0]

    def order(entry: tuple[tuple[Method, float], dict[str, Row]]) -> tuple[float, float]:
        (_, fraction), found = entry
        mean = found[first].mean if first in found else None
        return fraction, -np.inf if mean is None else -mean

    table_rows = []
    for (key, fraction), found in sorted(by_key.items(), key=order):
        some = next(iter(found.values()))
        table_rows.append(
            TableRow(
                role=role_of(some, main),
                method=key.method,
                detail=words.describe(key),
                labels=words.percent(fraction),
                cells=tuple(_cell(found.get(metric)) for metric in metrics),
                n_cases=str(some.n_cases),
            )
        )
    return Table(
        title=words.TABLES.get(name, name),
        note=words.TABLE_NOTES.get(name, ""),
        with_labels=len({fraction for _, fraction in by_key}) > 1,
        metrics=tuple(
            words.metric_name(m) + (" (lower is better)" if m in words.LOWER_IS_BETTER else "")
            for m in metrics
        ),
        rows=tuple(table_rows),
    )


def _cell(row: Row | None) -> tuple[str, str]:
    if row is None:
        return "–", ""
    return words.interval(row), "" if row.published is None else words.number(row.published)


def _label_efficiency(rows: Sequence[Row]) -> Plot | None:
    """The metric that decides over the share of labels; the best variant at each share."""
    metric = primary_metric(rows)
    own = [r for r in rows if r.table == "label-efficiency" and r.metric == metric]
    own = [row for row in own if row.mean is not None]
    if metric is None or len({row.label_fraction for row in own}) < 2:
        return None
    curves, summaries = [], []
    learnt = {row.method for row in own if words.is_learnt(row)}
    methods = sorted({row.method for row in own}, key=lambda name: (name not in learnt, name))
    for place, method in enumerate(methods):
        best: dict[float, Row] = {}
        for row in (row for row in own if row.method == method):
            known = best.get(row.label_fraction)
            if known is None or (row.mean or 0.0) > (known.mean or 0.0):
                best[row.label_fraction] = row
        chosen = [best[fraction] for fraction in sorted(best)]
        y = np.array([row.mean for row in chosen], float)
        low = np.array([np.nan if r.ci_low is None else r.ci_low for r in chosen], float)
        high = np.array([np.nan if r.ci_high is None else r.ci_high for r in chosen], float)
        colour = "accent" if place == 0 and method in learnt else series_colour(place - 1)
        x = np.array([row.label_fraction for row in chosen])
        curves.append(Curve(method, x, y, colour, place % len(DASHES), band=(low, high)))
        points = (f"{words.percent(r.label_fraction)}: {words.number(r.mean)}" for r in chosen)
        summaries.append(f"{method} {', '.join(points)}")
    name = words.metric_name(metric)
    svg = figures.label_efficiency(
        curves, name, "label-efficiency", f"{name} over the share of labels. {'; '.join(summaries)}"
    )
    caption = (
        "The best variant of each method at each share of the training labels, with its interval. "
        "A method is label-efficient if its curve stays high to the left."
    )
    return Plot("Label efficiency", svg, caption)


def _coverage(run: Run) -> str:
    settings = (run.study or {}).get("evaluate")
    found = settings.get("confidence") if isinstance(settings, dict) else None
    return f"{words.percent(found)} " if isinstance(found, float) else ""


def _repeats(rows: Sequence[Row]) -> str:
    folds = max(row.folds for row in rows)
    seeds = max(row.seeds for row in rows)
    pieces = [words.count(folds, "fold")] if folds > 1 else []
    if seeds > 1:
        pieces.append(f"up to {seeds} repeats of what depends on chance")
    return f"Means over {words.listed(pieces)}." if pieces else ""
