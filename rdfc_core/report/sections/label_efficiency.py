"""Label efficiency: a curve a method over the share of the labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rdfc_core.report import figures, text
from rdfc_core.report.figures import Curve, Plot
from rdfc_core.report.palette import DASHES, series_colour
from rdfc_core.report.run_data import RunData
from rdfc_core.report.variants import own_of
from rdfc_core.report.verdict import primary_metric
from rdfc_core.results.schema import Row
from rdfc_core.results.vocabulary import AUROC, LABEL_EFFICIENCY, metric_heading

ALSO = AUROC
"""Drawn beside the metric that decides."""


def efficiency(run: RunData) -> tuple[Plot, ...]:
    """A figure of the metric that decides and one of AUROC; none with fewer than two shares."""
    rows = run.results.rows if run.results else ()
    first = primary_metric(rows)
    if first is None:
        return ()
    drawn = (_plot(run, rows, metric) for metric in dict.fromkeys((first, ALSO)))
    return tuple(plot for plot in drawn if plot is not None)


def _plot(run: RunData, rows: Sequence[Row], metric: str) -> Plot | None:
    own = [
        row
        for row in rows
        if row.table == LABEL_EFFICIENCY and row.metric == metric and row.mean is not None
    ]
    if len({row.label_fraction for row in own}) < 2:
        return None
    methods = list(dict.fromkeys(row.method for row in own))
    lead = own_of(run, LABEL_EFFICIENCY, methods)
    methods.sort(key=lambda name: (name != lead, not text.is_learnt_name(name)))
    curves, summaries, bands = [], [], set()
    for place, method in enumerate(methods):
        chosen = _best([row for row in own if row.method == method])
        low, high, kind = _band(chosen)
        bands.add(kind)
        colour = series_colour(place - 1) if place or method != lead else "accent"
        x, y = (np.array([getattr(r, n) for r in chosen]) for n in ("label_fraction", "mean"))
        curves.append(Curve(method, x, y, colour, place % len(DASHES), band=(low, high)))
        points = (f"{text.percent(r.label_fraction)}: {text.number(r.mean)}" for r in chosen)
        summaries.append(f"{method} {', '.join(points)}")
    published = [(r.label_fraction, r.published) for r in own if r.published is not None]
    name = metric_heading(metric)
    svg = figures.label_efficiency(
        curves,
        published,
        name,
        f"label-efficiency-{metric.replace('_', '-')}",
        f"{name} over the share of labels. {'; '.join(summaries)}",
    )
    return Plot(f"Label efficiency: {name}", svg, _caption(own, bands, bool(published)))


def _best(rows: Sequence[Row]) -> list[Row]:
    """One row a share, in their order: the best, where a method has several variants."""
    best: dict[float, Row] = {}
    for row in sorted(rows, key=lambda row: row.mean or 0.0):
        best[row.label_fraction] = row
    return [best[share] for share in sorted(best)]


def _band(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray, str]:
    """Interval of each point; where there is none, mean ± standard deviation."""
    if all(row.ci_low is not None and row.ci_high is not None for row in rows):
        low, high = ([getattr(row, name) for row in rows] for name in ("ci_low", "ci_high"))
        return np.array(low, float), np.array(high, float), "interval"
    mean = np.array([row.mean for row in rows], float)
    sd = np.array([np.nan if row.sd is None else row.sd for row in rows], float)
    return mean - sd, mean + sd, "sd"


def _caption(rows: Sequence[Row], bands: set[str], published: bool) -> str:
    what = {
        "interval": "intervals from resampled patients, which hold the spread of the label draws",
        "sd": "mean ± standard deviation over splits and label draws",
    }
    draws, folds = max(row.seeds for row in rows), max(row.folds for row in rows)
    over = [text.count(draws, "draw of the labels", "draws of the labels")]
    over += [text.count(folds, "fold")] if folds > 1 else []
    sentence = (
        f"Means over {text.listed(over)}, on the same held-back cases throughout. Bands: "
        f"{text.listed([what[kind] for kind in sorted(bands)])}. A method is label-efficient if "
        "its curve stays high to the left."
    )
    return sentence + (" Hollow diamonds: published numbers." if published else "")
