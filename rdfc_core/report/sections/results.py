"""Results: every method as a dot with its interval, tables, label efficiency and paired tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rdfc_core.report import text
from rdfc_core.report.figures import Plot
from rdfc_core.report.run_data import RunData, key_of
from rdfc_core.report.sections.forest_plot import Chart, chart
from rdfc_core.report.sections.label_efficiency import efficiency
from rdfc_core.report.sections.metric_tables import MetricTable, tables
from rdfc_core.report.sections.model_selection import Choice, choices
from rdfc_core.report.sections.paired_tests import Differences, differences
from rdfc_core.report.variants import judged
from rdfc_core.report.verdict import Verdict
from rdfc_core.results.schema import Row


@dataclass(frozen=True)
class ResultsSection:
    """What the section shows."""

    chart: Chart | None
    label_efficiency: tuple[Plot, ...]
    tables: tuple[MetricTable, ...]
    differences: Differences | None
    choices: tuple[Choice, ...]
    coverage: str
    repeats: str


def results(run: RunData, verdict: Verdict | None) -> ResultsSection | None:
    """The section, or None while there is no row."""
    if run.results is None or not run.results.rows:
        return None
    rows = run.results.rows
    main = key_of(verdict.main) if verdict else None
    return ResultsSection(
        chart=chart(rows, main, judged(run).values()),
        label_efficiency=efficiency(run),
        tables=tables(run, main),
        differences=differences(run),
        choices=choices(run),
        coverage=_coverage(run),
        repeats=_repeats(rows),
    )


def _coverage(run: RunData) -> str:
    settings = (run.study or {}).get("evaluate")
    found = settings.get("confidence") if isinstance(settings, dict) else None
    return f"{text.percent(found)} " if isinstance(found, float) else ""


def _repeats(rows: Sequence[Row]) -> str:
    folds = max(row.folds for row in rows)
    seeds = max(row.seeds for row in rows)
    pieces = [text.count(folds, "fold")] if folds > 1 else []
    if seeds > 1:
        pieces.append(f"up to {seeds} repeats of what depends on chance")
    return f"Means over {text.listed(pieces)}." if pieces else ""
