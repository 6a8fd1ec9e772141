"""Which labels to buy: a curve a strategy over the number of labels, beside random draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rdfc_core.report import text
from rdfc_core.report.figures import Curve, Plot
from rdfc_core.report.palette import DASHES, series_colour
from rdfc_core.report.query_figure import bought
from rdfc_core.report.run_data import RunData
from rdfc_core.results.schema import BoughtLabels
from rdfc_core.results.vocabulary import RANDOM_QUERIES, in_sentence, metric_heading


@dataclass(frozen=True)
class QuerySection:
    """What the section shows.

    Args:
        sentence: How the curves came about.
        verdicts: A sentence a strategy.
        plot: The curves.
        headings: Of the table: numbers of labels.
        rows: Strategy, and its difference from random draws at each number.
    """

    sentence: str
    verdicts: tuple[str, ...]
    plot: Plot
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def queries(run: RunData) -> QuerySection | None:
    """The section, or None where no strategy was tried."""
    found = [one for one in (run.results.queries if run.results else ()) if one.mean is not None]
    single = [one for one in found if len(one.labels) == 1]
    if not single:
        return None
    strategies = list(dict.fromkeys(one.strategy for one in single if _beside(one)))
    several = [one for one in found if len(one.labels) > 1 and _beside(one)]
    some = single[0]
    metric = in_sentence(some.metric)
    sentence = (
        "Labels of training cases were bought batch after batch, and a linear probe on the learnt "
        f"features was trained on them and judged on {some.n_cases} held-back cases: means over "
        f"{text.count(some.folds, 'fold')} and {text.count(some.repeats, 'repetition')} each. "
        "Strategies see the labels that they bought, and no held-back case; those that ask a model "
        "draw at random until two classes are known. Differences are from random draws, on the "
        "same held-back cases; intervals from patients and repetitions resampled together."
    )
    counts = sorted({one.labels for one in [*single, *several]}, key=lambda n: (len(n) > 1, n))
    return QuerySection(
        sentence,
        tuple(_verdict(one, metric) for one in several),
        _plot(single, strategies),
        tuple(str(n[0]) if len(n) == 1 else f"mean of {_range(n)}" for n in counts),
        tuple(
            (name, *(_cell(found, name, n) for n in counts))
            for name in [RANDOM_QUERIES, *strategies]
        ),
    )


def _beside(one: BoughtLabels) -> bool:
    return one.strategy != RANDOM_QUERIES


def _range(labels: Sequence[int]) -> str:
    return f"{labels[0]} to {labels[-1]}"


def _verdict(one: BoughtLabels, metric: str) -> str:
    if one.difference is None or one.difference_low is None or one.difference_high is None:
        return f"{one.strategy} cannot be compared with random draws."
    told = (
        f"{text.signed(one.difference)} {metric} "
        f"[{text.signed(one.difference_low)}, {text.signed(one.difference_high)}] "
        f"with {_range(one.labels)} labels"
    )
    if one.difference_low > 0:
        return f"{one.strategy} buys better labels than chance: {told}."
    if one.difference_high < 0:
        return f"{one.strategy} buys worse labels than chance: {told}."
    return f"{one.strategy} is not shown to differ from random draws: {told}."


def _cell(found: Sequence[BoughtLabels], strategy: str, labels: tuple[int, ...]) -> str:
    one = next((o for o in found if (o.strategy, o.labels) == (strategy, labels)), None)
    if one is None or one.mean is None:
        return "–"
    if strategy == RANDOM_QUERIES:
        return f"{one.mean:.3f}"
    if one.difference is None or one.difference_low is None or one.difference_high is None:
        return "–"
    ends = f"[{one.difference_low:+.3f}, {one.difference_high:+.3f}]"
    return f"{one.difference:+.3f} {ends}".replace("-", "−")


def _plot(single: Sequence[BoughtLabels], strategies: Sequence[str]) -> Plot:
    curves, summaries = [], []
    for place, name in enumerate([RANDOM_QUERIES, *strategies]):
        own = sorted((one for one in single if one.strategy == name), key=lambda one: one.labels)
        x = np.array([one.labels[0] for one in own], float)
        y = np.array([one.mean for one in own], float)
        band = None
        if name == RANDOM_QUERIES:
            low = np.array([np.nan if o.ci_low is None else o.ci_low for o in own], float)
            high = np.array([np.nan if o.ci_high is None else o.ci_high for o in own], float)
            band = low, high
        colour = "ink" if name == RANDOM_QUERIES else series_colour(place - 1)
        curves.append(Curve(name, x, y, colour, place % len(DASHES), band=band))
        points = (f"{one.labels[0]}: {text.number(one.mean)}" for one in own)
        summaries.append(f"{name} {', '.join(points)}")
    metric = metric_heading(single[0].metric)
    described = f"{metric} over the number of labels. {'; '.join(summaries)}"
    caption = (
        f"{metric} of a linear probe over the number of labels that were bought. The band is the "
        "interval of random draws; intervals of the differences stand in the table."
    )
    svg = bought(curves, metric, "labels-bought", described)
    return Plot("Labels chosen, and drawn at random", svg, caption)
