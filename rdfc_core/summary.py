"""What a run puts into its results: rows of metrics, the data in numbers, and what is missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rdfc_core.case import Case
from rdfc_core.evaluate.comparisons import compare, judged_variants, views_apart
from rdfc_core.evaluate.held_back import held_back, too_few
from rdfc_core.evaluate.importance import METRIC, Family, contributions
from rdfc_core.evaluate.linear import Entry
from rdfc_core.evaluate.statistics import Prediction, estimates
from rdfc_core.features import Extraction
from rdfc_core.interfaces import Dataset, PublishedRow
from rdfc_core.labels import doubtful_labels
from rdfc_core.resolve import ResolvedStudy
from rdfc_core.results import Comparison, Importance, Row, finite
from rdfc_core.splits import Split


def rows(
    study: ResolvedStudy,
    found: Mapping[Entry, Sequence[Prediction]],
    published: Sequence[PublishedRow] = (),
) -> list[Row]:
    """Every metric of every entry, with its interval, beside what is published of it."""
    found_rows = []
    for entry, predictions in found.items():
        settings = study.evaluate
        judged = estimates(predictions, settings.bootstrap, settings.confidence, study.seed)
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
                    folds=len({one.split for one in predictions}),
                    seeds=len({one.repeat for one in predictions}),
                    published=told.mean if told else None,
                    published_sd=told.sd if told else None,
                )
            )
    return found_rows


def _is_of(published: PublishedRow, entry: Entry, metric: str) -> bool:
    """Whether the published number is that of the entry; what it leaves open fits any."""
    asked = published.model_dump(exclude={"metric", "mean", "sd"}, exclude_none=True)
    return metric == published.metric and all(
        getattr(entry, key) == value for key, value in asked.items()
    )


def comparisons(
    study: ResolvedStudy, found: Mapping[Entry, Sequence[Prediction]]
) -> list[Comparison]:
    """Paired tests between the methods of each table but the controls'."""
    settings = study.evaluate
    judged = judged_variants(settings, found)
    apart = views_apart(settings, found)
    tested = compare(judged, settings.bootstrap, settings.confidence, study.seed, apart)
    return [
        Comparison(**{k: finite(v) if isinstance(v, float) else v for k, v in asdict(one).items()})
        for one in tested
    ]


def importance(
    study: ResolvedStudy, told: Mapping[Family, Sequence[Prediction]]
) -> list[Importance]:
    """What each family of handcrafted features contributes."""
    settings = study.evaluate
    found = contributions(told, settings.bootstrap, settings.confidence, study.seed)
    return [
        Importance(
            grouping=one.family.grouping,
            family=one.family.name,
            features=one.family.features,
            method=one.family.method,
            classifier=one.family.classifier,
            metric=METRIC,
            mean=finite(one.mean),
            ci_low=finite(one.low),
            ci_high=finite(one.high),
            n_cases=one.n_cases,
            repeats=one.repeats,
        )
        for one in found
    ]


def describe(
    study: ResolvedStudy, dataset: Dataset, cases: Sequence[Case], splits: Sequence[Split]
) -> dict[str, Any]:
    """The data set in numbers: classes, cases, patients, and the size of each part."""
    labels = Counter(case.label for case in cases)
    return {
        "name": study.dataset.name,
        "citation": dataset.citation,
        "classes": list(dataset.classes),
        "cases": len(cases),
        "patients": len({case.patient_id for case in cases}),
        "unlabelled": labels.pop(None, 0),
        "tested": held_back(cases, splits, dataset.classes),
        "per_class": {name: labels[name] for name in dataset.classes},
        "splits": [
            {
                "name": split.name,
                "pretext": len(split.pretext),
                "train": len(split.train),
                "test": len(split.test),
            }
            for split in splits
        ],
    }


def missing(extraction: Extraction) -> list[dict[str, Any]]:
    """Each feature that some cases do not have: how many, and the commonest reason."""
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for prepared in extraction.prepared.values():
        for one in prepared.values():
            for feature, reason in one.missing.items():
                reasons[feature][reason] += 1
    return [
        {
            "feature": feature,
            "cases": found.total(),
            "reason": found.most_common(1)[0][0],
        }
        for feature, found in sorted(reasons.items())
    ]


def warnings(
    study: ResolvedStudy, extraction: Extraction, splits: Sequence[Split], dataset: Dataset
) -> list[str]:
    """What a reader of the results should know about what was left out, or is too little."""
    found = []
    if extraction.failures:
        count = len(extraction.failures)
        verbs = ("cases could not be used and were", "case could not be used and was")[count == 1]
        found.append(f"{count} {verbs} left out.")
    found += [f"{doubt[0].upper()}{doubt[1:]}." for doubt in doubtful_labels(extraction.cases)]
    wanted = {"shape-only", "no-shape"} & set(study.evaluate.controls)
    names = {
        name
        for prepared in extraction.prepared.values()
        for name in next(iter(prepared.values())).names
    }
    if wanted and not any("shape" in name for name in names):
        found.append("The features hold no shape class, so there is no shape-only control.")
    tested = held_back(extraction.cases, splits, dataset.classes)
    few = too_few(tested, folds=len(splits) > 1)
    return [*found, few] if few else found
