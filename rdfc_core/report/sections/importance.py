"""What each family of handcrafted features contributes, as bars with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rdfc_core.report import text
from rdfc_core.report.run_data import RunData
from rdfc_core.results.schema import Importance
from rdfc_core.results.vocabulary import CLASSIFIER_HEADINGS, metric_heading

GROUPINGS = {"class": "By feature class", "filter": "By image filter"}
FAMILIES = {
    "firstorder": "first order",
    "shape": "shape",
    "shape2D": "shape (2D)",
    "log": "Laplacian of Gaussian",
    **{name: name.upper() for name in ("glcm", "glrlm", "glszm", "gldm", "ngtdm")},
}


@dataclass(frozen=True)
class Bar:
    """One family; positions in percent of the chart's width.

    ``left`` and ``width`` are the bar's, from zero to the mean; ``low`` and ``high`` the interval's
    ends, None without one.
    """

    family: str
    features: str
    score: str
    left: float
    width: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Bars:
    """One grouping, the largest contribution first."""

    title: str
    bars: tuple[Bar, ...]
    zero: float
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class ImportanceSection:
    """What the section shows."""

    sentence: str
    groups: tuple[Bars, ...]


def importance(run: RunData) -> ImportanceSection | None:
    """The section, or None where nothing was measured."""
    found = [one for one in (run.results.importance if run.results else ()) if _known(one)]
    if not found:
        return None
    groupings = list(dict.fromkeys(one.grouping for one in found))
    some = found[0]
    classifier = CLASSIFIER_HEADINGS.get(some.classifier, some.classifier)
    bounds = [v for one in found for v in (one.mean, one.ci_low, one.ci_high, 0.0) if v is not None]
    low, high, step = _axis(min(bounds), max(bounds))
    sentence = (
        f"How far the {metric_heading(some.metric)} of {some.method} ({classifier}) falls on "
        f"{text.held_back(some)} when the values of a family are dealt out "
        f"among the cases, all by the same deal (mean of {some.repeats} deals; intervals from "
        "resampled patients). What other families know, too, does not show: a family with a small "
        "bar may be replaceable rather than empty."
    )
    return ImportanceSection(
        sentence,
        tuple(
            _bars(grouping, [one for one in found if one.grouping == grouping], low, high, step)
            for grouping in groupings
        ),
    )


def _known(one: Importance) -> bool:
    return one.mean is not None


def _bars(grouping: str, found: Sequence[Importance], low: float, high: float, step: float) -> Bars:
    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 2)

    bars = []
    for one in sorted(found, key=lambda one: (-(one.mean or 0.0), one.family)):
        mean = one.mean or 0.0
        score = f"{mean:+z.3f}" if mean else "0"
        if one.ci_low is not None and one.ci_high is not None:
            score += f" [{one.ci_low:+z.3f}, {one.ci_high:+z.3f}]"
        bars.append(
            Bar(
                family=FAMILIES.get(one.family, one.family),
                features=text.count(one.features, "feature"),
                score=score.replace("-", "−"),
                left=place(min(0.0, mean)),
                width=round(place(abs(mean)) - place(0.0), 2),
                low=None if one.ci_low is None else place(one.ci_low),
                high=None if one.ci_high is None else place(one.ci_high),
            )
        )
    ticks = [round(low + step * k, 6) for k in range(round((high - low) / step) + 1)]
    return Bars(
        GROUPINGS.get(grouping, grouping),
        tuple(bars),
        place(0.0),
        tuple((place(t), f"{t:+g}".replace("-", "−") if t else "0") for t in ticks),
    )


def _axis(low: float, high: float) -> tuple[float, float, float]:
    """Ends and step of an axis that holds zero and all intervals, in at most six steps."""
    span = max(high - low, 0.01)
    step = next((s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if span / s <= 5), 0.5)
    below, above = math.ceil(max(-low, 0.0) / step), math.ceil(max(high, 0.0) / step)
    return -step * below, step * max(above, 1), step
