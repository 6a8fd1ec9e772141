"""What each family of handcrafted features contributes, by permutation importance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation.bootstrap import Prediction, interval, of_drawn_repetitions, resampled
from rdfc_core.evaluation.linear_probe import LabelledSplit, main_classifier
from rdfc_core.results.vocabulary import AUROC, EMBEDDING, RADIOMICS, RAW
from rdfc_core.views.measured_features import MeasuredFeatures

REPEATS = 10
MOST_RESAMPLES = 1000
"""For an interval of two digits these do; there is one a family and repetition."""

Table = NDArray[np.floating[Any]]
"""(N, F) features."""

Predict = Callable[[Any], NDArray[np.float64]]
"""(N, F) features → (N, C) probabilities."""


class Family(NamedTuple):
    """Features that are permuted together.

    Args:
        grouping: ``class`` (first order, GLCM, …) or ``filter`` (original, wavelet, …); "" for
            nothing permuted.
        name: Of the family.
        features: How many there are.
        method: The method, and its classifier, whose predictions suffer.
        classifier: Its classifier.
    """

    grouping: str
    name: str
    features: int
    method: str
    classifier: str


class Contribution(NamedTuple):
    """What a family contributes: the fall of a metric when its values are dealt out at random.

    ``low`` and ``high`` bound the interval from resampled patients; all NaN where undefined.
    """

    family: Family
    mean: float
    low: float
    high: float
    n_cases: int
    repeats: int


def families(names: Sequence[str]) -> dict[tuple[str, str], NDArray[np.int64]]:
    """(Grouping, family) → the columns of its features.

    Names are read as PyRadiomics writes them, ``filter-detail_class_Feature``; a name of another
    form is its own class up to the first underscore, and ``original``.
    """
    columns: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        parts = name.split("_")
        known = len(parts) >= 3
        columns["class", parts[1] if known else parts[0]].append(place)
        columns["filter", parts[0].partition("-")[0] if known else "original"].append(place)
    return {key: np.array(found) for key, found in sorted(columns.items())}


def judge(
    data: LabelledSplit,
    names: Sequence[str],
    measured: MeasuredFeatures,
    standard: NDArray[np.float32],
) -> Iterator[tuple[Family, Prediction]]:
    """Conventional radiomics on held-back cases: as they are, then with each family permuted.

    The classical model is the one that the study judges: conventional radiomics where
    ``evaluate.methods`` has it, otherwise the control ``radiomics``; nothing without either.

    Args:
        data: The labelled cases of a split.
        names: F names of features.
        measured: (N, F).
        standard: (N, F) standardised, as the view collates them.
    """
    settings, train = data.settings, len(data.split.train)
    if RADIOMICS in settings.methods:
        model = data.task.radiomics(settings, data.classes, data.seed)
        patients = [case.patient_id for case in data.cases[:train]]
        model.fit(measured[:train], data.truth[:train], patients)
        yield from _permuted(data, names, measured[train:], model.predict, data.task.svm)
    elif RADIOMICS in settings.controls:
        chosen = main_classifier(settings)
        linear = data.judge({RAW: standard}, chosen, EMBEDDING)[1]
        if linear is not None:

            def predict(rows: Table) -> NDArray[np.float64]:
                return linear.predict({RAW: rows})

            yield from _permuted(data, names, standard[train:], predict, chosen)


def _permuted(
    data: LabelledSplit, names: Sequence[str], table: Table, predict: Predict, classifier: str
) -> Iterator[tuple[Family, Prediction]]:
    whole = Family("", "", len(names), RADIOMICS, classifier)
    yield whole, data.prediction(predict(table))
    for (grouping, name), columns in families(names).items():
        family = Family(grouping, name, len(columns), RADIOMICS, classifier)
        for repeat, rows in enumerate(permute(table, columns, REPEATS, data.seed)):
            yield family, data.prediction(predict(rows), repeat)


def permute(table: Table, columns: NDArray[np.int64], repeats: int, seed: int) -> Iterator[Table]:
    """The table with some columns dealt out to other cases, all of them by the same deal.

    Dealt together they keep what they know of each other, and lose what they know of the case.

    Args:
        table: (N, F).
        columns: Which.
        repeats: How many deals.
        seed: Decides them; every family meets the same ones.
    """
    rng = np.random.default_rng(seed)
    for _ in range(repeats):
        dealt = table.copy()
        dealt[:, columns] = table[np.ix_(rng.permutation(len(table)), columns)]
        yield dealt


def contributions(
    told: Mapping[Family, Sequence[Prediction]],
    resamples: int,
    confidence: float,
    seed: int,
    metric: str = AUROC,
) -> list[Contribution]:
    """The fall of a metric by each family, the mean over splits and deals.

    Args:
        told: Family → what was said with it permuted, a split and deal; and the family without a
            grouping → what was said of the features as they are.
        resamples: Number of bootstrap resamples of patients.
        confidence: Coverage of the intervals.
        seed: Decides the resamples.
        metric: Which; more is better.
    """
    whole = next((family for family in told if not family.grouping), None)
    if whole is None:
        return []
    resamples = min(resamples, MOST_RESAMPLES)
    base = resampled(told[whole], resamples, seed)[metric]
    found = []
    for family, predictions in told.items():
        if family == whole:
            continue
        dealt = resampled(predictions, resamples, seed)[metric]
        falls = base[0, 1:] - of_drawn_repetitions(dealt[:, 1:], seed)
        cases = {case_id for one in predictions for case_id in one.case_ids}
        mean = float(base[0, 0] - dealt[:, 0].mean())
        low, high = interval(falls, mean, confidence)
        found.append(Contribution(family, mean, low, high, len(cases), len(dealt)))
    return found
