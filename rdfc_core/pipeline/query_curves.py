"""The simulation of query strategies within a run: on each split, and over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.evaluated_model import EvaluatedModel
from rdfc_core.evaluation.patients import in_units
from rdfc_core.evaluation.query_curves import curves
from rdfc_core.evaluation.query_simulation import Bought, simulate, with_random
from rdfc_core.evaluation.tasks import task_of
from rdfc_core.results.queries import BoughtLabels
from rdfc_core.results.schema import finite
from rdfc_core.results.vocabulary import FEATURES
from rdfc_core.utils.progress import Progress


def queried(own: EvaluatedModel, progress: Progress) -> list[tuple[Bought, Prediction]]:
    """What probes say on labels that the study's strategies bought on a split; [] without any.

    Args:
        own: The study's model on the labelled cases of the split.
        progress: Told of each repetition.
    """
    strategies = {
        name: part.build(own.registry) for name, part in own.study.query_strategies.items()
    }
    if not strategies:
        return []
    everyone = with_random(strategies)
    total = len(everyone) * own.study.evaluate.querying.repeats
    with progress.task(f"Buying labels, {own.data.split.name}", total) as advance:
        return list(simulate(own.data, own.outputs[FEATURES], own.model.classes, everyone, advance))


def bought_labels(
    study: ResolvedStudy, found: Mapping[Bought, Sequence[Prediction]]
) -> tuple[BoughtLabels, ...]:
    """Every strategy at every number of labels, against random draws.

    Args:
        study: Names resamples, coverage and seed.
        found: What `queried` gave, of all splits.
    """
    settings = study.evaluate
    metric = task_of(settings).deciding
    if not found:
        return ()
    points = curves(
        in_units(settings, found), metric, settings.bootstrap, settings.confidence, study.seed
    )
    return tuple(
        BoughtLabels(
            strategy=one.strategy,
            labels=one.labels,
            metric=metric,
            mean=finite(one.mean),
            ci_low=finite(one.low),
            ci_high=finite(one.high),
            difference=finite(one.difference),
            difference_low=finite(one.diff_low),
            difference_high=finite(one.diff_high),
            p=finite(one.p),
            labelled_cases=one.cases,
            n_cases=one.tested,
            unit=settings.unit,
            folds=one.folds,
            repeats=one.repeats,
        )
        for one in points
    )
