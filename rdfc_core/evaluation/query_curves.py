"""What strategies gain over random draws, at each number of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation.bootstrap import (
    Prediction,
    interval,
    of_drawn_repetitions,
    paired,
    resampled,
)
from rdfc_core.evaluation.query_simulation import Bought
from rdfc_core.results.vocabulary import RANDOM_QUERIES

EARLY = (10, 40)
"""Numbers of labels, from … to, over whose mean strategies are judged."""


@dataclass(frozen=True)
class CurvePoint:
    """A strategy at a number of labels, or its mean over several.

    Args:
        strategy: Its name.
        labels: Numbers of labels.
        mean: Of the metric, over splits and repetitions.
        low: Lower end of its interval.
        high: Upper end.
        difference: From random draws, on the same test cases.
        diff_low: Lower end of its interval, from patients and repetitions resampled together.
        diff_high: Upper end.
        p: Two-sided.
        cases: Labelled cases, the mean.
        tested: Test cases.
        folds: Splits.
        repeats: Repetitions.
    """

    strategy: str
    labels: tuple[int, ...]
    mean: float
    low: float
    high: float
    difference: float
    diff_low: float
    diff_high: float
    p: float
    cases: float
    tested: int
    folds: int
    repeats: int


def curves(
    found: Mapping[Bought, Sequence[Prediction]],
    metric: str,
    resamples: int,
    confidence: float,
    seed: int,
) -> list[CurvePoint]:
    """Every strategy at every number of labels that all splits reach, and over the early ones.

    Args:
        found: As `rdfc_core.evaluation.query_simulation.simulate` gives them, of all splits.
        metric: The metric that decides.
        resamples: Number of bootstrap resamples.
        confidence: Coverage of the intervals.
        seed: Decides the resamples.
    """
    splits = {one.split for told in found.values() for one in told}
    reached = {key: told for key, told in found.items() if {one.split for one in told} == splits}
    drawn = {key: resampled(told, resamples, seed)[metric] for key, told in reached.items()}
    strategies = list(dict.fromkeys(key.strategy for key in reached))
    counts = sorted({key.labels for key in reached})
    early = tuple(count for count in counts if EARLY[0] <= count <= EARLY[1])
    points = []
    for labels in [*((count,) for count in counts), *([early] if len(early) > 1 else [])]:
        base = _mean(drawn, RANDOM_QUERIES, labels)
        for strategy in strategies:
            own = _mean(drawn, strategy, labels)
            told = [one for count in labels for one in reached[Bought(strategy, count)]]
            mean = float(own[:, 0].mean())
            low, high = interval(of_drawn_repetitions(own[:, 1:], seed), mean, confidence)
            points.append(
                CurvePoint(
                    strategy,
                    labels,
                    mean,
                    low,
                    high,
                    *paired(own, base, confidence, seed),
                    cases=fmean(one.labelled_cases for one in told),
                    tested=len({case_id for one in told for case_id in one.case_ids}),
                    folds=len(splits),
                    repeats=len({one.repeat for one in told}),
                )
            )
    return points


def _mean(
    drawn: Mapping[Bought, NDArray[np.float64]], strategy: str, labels: Sequence[int]
) -> NDArray[np.float64]:
    """(repetitions, 1 + resamples), the mean over numbers of labels."""
    return np.asarray(np.mean([drawn[Bought(strategy, count)] for count in labels], axis=0))
