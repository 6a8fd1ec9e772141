"""What a run puts into its results: rows of metrics, their comparisons, and the headline."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import mean

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.evaluation.bootstrap import Prediction, estimates
from rdfc_core.evaluation.headline import against, headline_variant
from rdfc_core.evaluation.judged_safeguards import GuardedTest, Resampling, judge_safeguards
from rdfc_core.evaluation.labels_needed import labels_needed
from rdfc_core.evaluation.linear_probe import Variant
from rdfc_core.evaluation.operating_points import refuse_unfit_points
from rdfc_core.evaluation.paired_tests import compare, judged_variants, views_apart
from rdfc_core.evaluation.patients import in_units
from rdfc_core.evaluation.permutation_importance import Family, contributions
from rdfc_core.evaluation.study_metrics import FailedMetricError, OwnMetrics, facts, own_metrics
from rdfc_core.evaluation.tasks import task_of
from rdfc_core.interfaces import PublishedRow
from rdfc_core.plugin.registry import Registry
from rdfc_core.results.safeguards import JudgedSafeguards
from rdfc_core.results.schema import (
    Against,
    Comparison,
    Headline,
    Importance,
    Judged,
    LabelsNeeded,
    MetricFacts,
    Row,
    finite,
)

log = logging.getLogger("rdfc")


@dataclass(frozen=True)
class Scored:
    """What the predictions of a run come to: rows, their comparisons, and the study's metrics."""

    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    metrics: tuple[MetricFacts, ...]


def scored(
    study: ResolvedStudy,
    found: Mapping[Variant, Sequence[Prediction]],
    own: OwnMetrics,
    published: Sequence[PublishedRow] = (),
) -> Scored:
    """Every metric of every variant, and the paired tests.

    One of the study's own metrics that fails now, after hours of training, is left out with a
    warning.

    Args:
        study: Names resamples, coverage and seed.
        found: Everything that was judged.
        own: The study's own metrics.
        published: What is published of it.
    """
    while True:
        try:
            return Scored(
                tuple(rows(study, found, published, own)),
                tuple(comparisons(study, found, own)),
                facts(own),
            )
        except FailedMetricError as error:
            log.warning("The metric %s is left out of the results. %s", error.name, error)
            own = {name: metric for name, metric in own.items() if name != error.name}


def rows(
    study: ResolvedStudy,
    found: Mapping[Variant, Sequence[Prediction]],
    published: Sequence[PublishedRow] = (),
    own: OwnMetrics | None = None,
) -> list[Row]:
    """Every metric of every variant, with its interval, beside what is published of it."""
    found_rows = []
    for entry, predictions in found.items():
        settings = study.evaluate
        judged = estimates(predictions, settings.bootstrap, settings.confidence, study.seed, own)
        tested = {case_id for one in predictions for case_id in one.case_ids}
        for metric, value in judged.items():
            told = next((one for one in published if _is_of(one, entry, metric)), None)
            found_rows.append(
                Row(
                    table=entry.table,
                    method=entry.method,
                    dataset=study.dataset.name,
                    input=entry.input,
                    layer=entry.layer,
                    classifier=entry.classifier,
                    label_fraction=entry.label_fraction,
                    metric=metric,
                    mean=finite(value.mean),
                    sd=finite(value.sd),
                    ci_low=finite(value.low),
                    ci_high=finite(value.high),
                    n_cases=len(tested),
                    unit=settings.unit,
                    folds=len({one.split for one in predictions}),
                    seeds=len({one.repeat for one in predictions}),
                    labelled_cases=mean(one.labelled_cases for one in predictions),
                    labelled_patients=mean(one.labelled_patients for one in predictions),
                    published=told.mean if told else None,
                    published_sd=told.sd if told else None,
                )
            )
    return found_rows


def _is_of(published: PublishedRow, entry: Variant, metric: str) -> bool:
    """Whether the published number is that of the variant; what it leaves open fits any."""
    asked = published.model_dump(exclude={"metric", "mean", "sd"}, exclude_none=True)
    return metric == published.metric and all(
        getattr(entry, key) == value for key, value in asked.items()
    )


def comparisons(
    study: ResolvedStudy,
    found: Mapping[Variant, Sequence[Prediction]],
    own: OwnMetrics | None = None,
) -> list[Comparison]:
    """Paired tests between the methods of each table but the controls'."""
    settings = study.evaluate
    judged = judged_variants(settings, found)
    apart = views_apart(settings, found)
    tested = compare(judged, settings.bootstrap, settings.confidence, study.seed, apart, own)
    return [
        Comparison(**{k: finite(v) if isinstance(v, float) else v for k, v in asdict(one).items()})
        for one in tested
    ]


def needed(
    study: ResolvedStudy, found: Mapping[Variant, Sequence[Prediction]]
) -> list[LabelsNeeded]:
    """With how many labels training from scratch and radiomics do what pretraining does."""
    settings = study.evaluate
    told = labels_needed(
        judged_variants(settings, found),
        settings.bootstrap,
        settings.confidence,
        study.seed,
        task_of(settings).deciding,
    )
    return [
        LabelsNeeded(
            method=one.method,
            label_fraction=one.label_fraction,
            reference=one.reference,
            share=finite(one.share),
            ci_low=finite(one.low),
            ci_high=finite(one.high),
            least=one.least,
        )
        for one in told
        if not math.isnan(one.share)
    ]


def headline(
    study: ResolvedStudy,
    found: Mapping[Variant, Sequence[Prediction]],
    method: str,
    probe: Mapping[str, str],
    illustration: str = "",
) -> Headline | None:
    """What the headline says; None where nothing was judged with all labels.

    Args:
        study: Names resamples, coverage and seed.
        found: Everything that was judged.
        method: How tables call the study's pretext.
        probe: Input, layer and classifier of the linear probe that was named beforehand.
        illustration: What is to be remembered of the data set's cases.
    """
    settings = study.evaluate
    main = headline_variant(found, method, probe)
    if main is None:
        return None
    tested = against(settings, found, main, method, study.seed)
    return Headline(
        main=_judged(main),
        metric=task_of(settings).deciding,
        against=tuple(
            Against(
                of=_judged(one.of),
                less=_judged(one.less),
                difference=finite(one.difference),
                ci_low=finite(one.ci_low),
                ci_high=finite(one.ci_high),
                p=finite(one.p),
                p_corrected=finite(one.p_corrected),
            )
            for one in tested
        ),
        confidence=settings.confidence,
        resamples=settings.bootstrap,
        illustration=illustration,
    )


def _judged(entry: Variant) -> Judged:
    named = {key: value for key, value in asdict(entry).items() if key in Judged.model_fields}
    return Judged(**named)


def importance(
    study: ResolvedStudy, told: Mapping[Family, Sequence[Prediction]]
) -> list[Importance]:
    """What each family of handcrafted features contributes."""
    settings = study.evaluate
    metric = task_of(settings).importance
    found = contributions(
        in_units(settings, told), settings.bootstrap, settings.confidence, study.seed, metric
    )
    return [
        Importance(
            grouping=one.family.grouping,
            family=one.family.name,
            features=one.family.features,
            method=one.family.method,
            classifier=one.family.classifier,
            metric=metric,
            mean=finite(one.mean),
            ci_low=finite(one.low),
            ci_high=finite(one.high),
            n_cases=one.n_cases,
            unit=settings.unit,
            repeats=one.repeats,
        )
        for one in found
    ]


def refuse_unfit(study: ResolvedStudy, registry: Registry, classes: Sequence[str]) -> None:
    """Check, before anything is measured, that what the study judges by fits the classes.

    Raises:
        StudyError: If a metric or an operating point does not.
        PluginError: If a metric breaks its contract.
    """
    own_metrics(study, registry, classes)
    refuse_unfit_points(study.evaluate, classes)


def safeguards(
    study: ResolvedStudy, tests: Sequence[GuardedTest], classes: Sequence[str]
) -> JudgedSafeguards | None:
    """What guards single predictions, on all test parts together; None where none was judged."""
    if not tests:
        return None
    settings = study.evaluate
    how = Resampling(settings.bootstrap, settings.confidence, study.seed)
    return judge_safeguards(tests, classes, how)
