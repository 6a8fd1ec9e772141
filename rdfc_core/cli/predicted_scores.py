"""How scores of predictions whose labels are known are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdfc_core.results.vocabulary import metric_heading

if TYPE_CHECKING:
    from rich.console import Console

    from rdfc_core.pipeline.predicted_scores import PredictedScores


def show_scores(scores: PredictedScores, screen: Console) -> None:
    """A line a metric, with its interval, and what sets and operating points come to."""
    from rich.table import Table

    from rdfc_core.report.safeguard_text import left_out, point_rows, sentences, written

    if scores.known:
        screen.print(left_out(scores.cases, scores.known))
    if not scores.cases:
        return
    drawn = Table(
        title=f"On the {scores.cases} cases whose label is known",
        title_justify="left",
        title_style="bold",
    )
    drawn.add_column("metric")
    drawn.add_column("value [95 % interval]", justify="right")
    for name, value in scores.metrics.items():
        drawn.add_row(metric_heading(name), written(value))
    screen.print(drawn)
    if scores.doubt:
        screen.print(scores.doubt)
    if scores.safeguards is None:
        return
    for sentence in sentences(scores.safeguards):
        screen.print(sentence)
    if scores.safeguards.operating_points:
        points = Table(title="Operating points, as chosen", title_justify="left")
        headings, rows = point_rows(scores.safeguards)
        points.add_column(headings[0])
        for heading in headings[1:]:
            points.add_column(heading, justify="right")
        for row in rows:
            points.add_row(*row)
        screen.print(points)
