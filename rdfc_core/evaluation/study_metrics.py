"""The metrics that a study names beside those of every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.contract.metrics import require_metric, values_of
from rdfc_core.errors import PluginError, StudyError
from rdfc_core.interfaces.metric import Metric, Task
from rdfc_core.plugin.attribution import held_to_contract, origin
from rdfc_core.plugin.registry import Registry
from rdfc_core.results.metric_facts import MetricFacts
from rdfc_core.results.vocabulary import CLASSIFICATION

OwnMetrics = Mapping[str, Metric]
"""Name in the results → the metric, which knows the classes."""


class FailedMetricError(PluginError):
    """A metric that did not do, among all that a run said, what it did for made-up predictions."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def own_metrics(study: ResolvedStudy, registry: Registry, classes: Sequence[str]) -> OwnMetrics:
    """The metrics of a study, checked on made-up predictions.

    Args:
        study: Names them.
        registry: Where components come from.
        classes: Their names, in the order of the columns of probabilities.

    Raises:
        StudyError: If a metric does not fit the study.
        PluginError: If one breaks its contract.
    """
    found: dict[str, Metric] = {}
    for name, part in study.metrics.items():
        metric: Metric = part.build(registry)
        if metric.task != study.task and metric.task in get_args(Task):
            raise StudyError(
                f"evaluate.metrics: {name} is of the task {metric.task}, and the study's is "
                f"{study.task}. Leave it out."
            )
        with held_to_contract(metric):
            if metric.task == CLASSIFICATION:
                metric.set_classes(tuple(classes))
            require_metric(metric, len(classes) or 2)
        found[name] = metric
    return found


def own_scores(
    own: OwnMetrics,
    truth: NDArray[np.int64] | NDArray[np.float64],
    probabilities: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """What the study's own metrics say, for every weighting.

    Args:
        own: The metrics.
        truth: (N,) class indices, or numbers.
        probabilities: (N, C), or (N,) numbers.
        weights: (R, N); None weighs all cases alike (R = 1).

    Returns:
        Metric → (R,); NaN where it is undefined.

    Raises:
        FailedMetricError: If one breaks its contract.
    """
    if weights is None:
        weights = np.ones((1, len(truth)))
    found = {}
    for name, metric in own.items():
        try:
            with held_to_contract(metric):
                # Copies: what one metric does to its arguments is no matter of the next.
                found[name] = values_of(metric, truth.copy(), probabilities.copy(), weights.copy())
        except PluginError as error:
            raise FailedMetricError(name, str(error)) from error
    return found


def facts(own: OwnMetrics) -> tuple[MetricFacts, ...]:
    """What reports have to know of the metrics, which they are drawn without."""
    return tuple(
        MetricFacts(
            name=name,
            title=metric.title,
            higher_is_better=metric.higher_is_better,
            by=origin(metric),
        )
        for name, metric in own.items()
    )
