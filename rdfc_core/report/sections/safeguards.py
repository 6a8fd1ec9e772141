"""Whether single predictions can be relied on: prediction sets, operating points, distances."""

from __future__ import annotations

from dataclasses import dataclass

from rdfc_core.report.run_data import RunData
from rdfc_core.report.safeguard_text import coverage_rows, point_rows, sentences


@dataclass(frozen=True)
class SafeguardsSection:
    """What the section shows.

    Args:
        sentences: What safeguards come to, and what is missing.
        coverage: Class → how often its cases' sets hold it.
        by_class: Whether each class was calibrated for itself.
        headings: Of the operating points.
        points: A line each.
    """

    sentences: tuple[str, ...]
    coverage: tuple[tuple[str, str], ...]
    by_class: bool
    headings: tuple[str, ...]
    points: tuple[tuple[str, ...], ...]


def safeguards(run: RunData) -> SafeguardsSection | None:
    """The section, or None where nothing was judged."""
    judged = run.results.safeguards if run.results else None
    if judged is None or (not (told := sentences(judged)) and not judged.operating_points):
        return None
    headings, points = point_rows(judged)
    return SafeguardsSection(
        told,
        tuple(coverage_rows(judged.sets)) if judged.sets else (),
        bool(judged.sets and judged.sets.by_class),
        tuple(headings),
        tuple(points),
    )
