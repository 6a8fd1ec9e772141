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
from rdfc_core.results.schema import LabelsNeeded, Row
from rdfc_core.results.vocabulary import (
    AUROC,
    LABEL_EFFICIENCY,
    LINEAR,
    SUPERVISED,
    in_sentence,
    metric_heading,
)

ALSO = AUROC
"""Drawn beside the metric that decides."""

BEYOND = 10.0
"""Where a share is drawn that all labels are not enough for."""


def efficiency(run: RunData) -> tuple[Plot, ...]:
    """A figure of the metric that decides and one of AUROC; none with fewer than two shares."""
    rows = run.results.rows if run.results else ()
    first = primary_metric(rows)
    if first is None:
        return ()
    drawn = (_plot(run, rows, metric) for metric in dict.fromkeys((first, ALSO)))
    needed = _needed(run.results.labels_needed if run.results else (), in_sentence(first))
    return tuple(plot for plot in (*drawn, needed) if plot is not None)


def _needed(told: Sequence[LabelsNeeded], metric: str) -> Plot | None:
    """How many labels others need to do as well; None where a run has no pretrained method."""
    methods = list(dict.fromkeys(one.method for one in told))
    if not methods:
        return None
    told = [one for one in told if one.method == methods[0]]
    curves, sentences = [], []
    first = told[0].reference
    for place, reference in enumerate(dict.fromkeys(one.reference for one in told)):
        own = [one for one in told if one.reference == reference]
        x, y, low, high = (
            np.array([BEYOND if value is None else value for value in values])
            for values in zip(
                *((o.label_fraction, o.share, o.ci_low, o.ci_high) for o in own), strict=True
            )
        )
        colour, dashes = series_colour(place), place % len(DASHES)
        curves.append(Curve(reference, x, y, colour, dashes, band=(low, high)))
        sentences += [_in_words(one) for one in own]
    svg = figures.labels_needed(curves, "labels-needed", f"Labels needed. {' '.join(sentences)}")
    caption = (
        f"With how many labels others reach the {metric} of {methods[0]}. Above the diagonal "
        "the pretrained method needs fewer; arrows: all labels are not enough. "
        + " ".join(_in_words(o) for o in told if o.reference == first and o.label_fraction < 1)
    )
    return Plot(f"Labels needed to do as well as {methods[0]}", svg, caption)


def _in_words(one: LabelsNeeded) -> str:
    """``As good as a with 5 %: b with 21 % [12 % to 40 %], 4.2 times as many``."""
    ends = " to ".join(_share(one, end) for end in (one.ci_low, one.ci_high))
    times = ""
    if one.share is not None and one.share > one.least:
        times = f", {one.share / one.label_fraction:.2g} times as many"
    return (
        f"As good as {one.method} with {text.percent(one.label_fraction)}: {one.reference} with "
        f"{_share(one, one.share)} [{ends}]{times}."
    )


def _share(one: LabelsNeeded, share: float | None) -> str:
    if share is None:
        return f"more than {text.percent(1)}"
    return f"at most {text.percent(share)}" if share <= one.least else text.percent(share)


def _plot(run: RunData, rows: Sequence[Row], metric: str) -> Plot | None:
    own = _with_all_labels(rows, metric)
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


def _with_all_labels(rows: Sequence[Row], metric: str) -> list[Row]:
    """The table's rows, and where it lacks all labels, the same variants from the other tables."""
    known = [row for row in rows if row.metric == metric and row.mean is not None]
    own = [row for row in known if row.table == LABEL_EFFICIENCY]
    whole = {row.method for row in own if row.label_fraction == 1}
    tried = {_variant(row) for row in own if row.method not in whole}
    return own + [
        row
        for row in known
        if row.table in (SUPERVISED, LINEAR) and row.label_fraction == 1 and _variant(row) in tried
    ]


def _variant(row: Row) -> tuple[str, str, str, str]:
    return row.method, row.input, row.layer, row.classifier


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
