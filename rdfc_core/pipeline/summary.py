"""What a run puts into its results: rows of metrics, the data in numbers, and what is missing."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import mean
from typing import Any

from rdfc_core.case import Case
from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.data.accounting import Use, as_rows
from rdfc_core.data.cells import counted
from rdfc_core.data.splits import Split
from rdfc_core.evaluation.bootstrap import Prediction, estimates
from rdfc_core.evaluation.headline import METRIC as HEADLINE_METRIC
from rdfc_core.evaluation.headline import against, headline_variant
from rdfc_core.evaluation.labels_needed import labels_needed
from rdfc_core.evaluation.linear_probe import Variant
from rdfc_core.evaluation.paired_tests import compare, judged_variants, views_apart
from rdfc_core.evaluation.permutation_importance import METRIC, Family, contributions
from rdfc_core.evaluation.sample_size import held_back, too_few
from rdfc_core.extraction.extract import Extraction
from rdfc_core.interfaces import Dataset, PublishedRow
from rdfc_core.results.schema import (
    Against,
    Comparison,
    Headline,
    Importance,
    Judged,
    LabelsNeeded,
    Row,
    Selection,
    finite,
)
from rdfc_core.results.vocabulary import NO_SHAPE, SHAPE_ONLY
from rdfc_core.training.convergence import Convergence


def rows(
    study: ResolvedStudy,
    found: Mapping[Variant, Sequence[Prediction]],
    published: Sequence[PublishedRow] = (),
) -> list[Row]:
    """Every metric of every variant, with its interval, beside what is published of it."""
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
    study: ResolvedStudy, found: Mapping[Variant, Sequence[Prediction]]
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


def needed(
    study: ResolvedStudy, found: Mapping[Variant, Sequence[Prediction]]
) -> list[LabelsNeeded]:
    """With how many labels training from scratch and radiomics do what pretraining does."""
    settings = study.evaluate
    told = labels_needed(
        judged_variants(settings, found), settings.bootstrap, settings.confidence, study.seed
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
        metric=HEADLINE_METRIC,
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
    study: ResolvedStudy,
    dataset: Dataset,
    cases: Sequence[Case],
    splits: Sequence[Split],
    classes: Sequence[str],
    uses: Sequence[Use],
) -> dict[str, Any]:
    """The data set in numbers: classes, cases, patients, the size of each part, and every use.

    Args:
        study: Names the data set.
        dataset: Says how to cite it.
        cases: All that are listed.
        splits: That were made of them.
        classes: Those that are told apart; a case with another label counts as unlabelled.
        uses: What each case was used for.
    """
    labels = Counter(case.label for case in cases)
    return {
        "name": study.dataset.name,
        "citation": dataset.citation,
        "classes": list(classes),
        "cases": len(cases),
        "patients": len({case.patient_id for case in cases}),
        "unlabelled": len(cases) - sum(labels[name] for name in classes),
        "tested": held_back(cases, splits, classes),
        "per_class": {name: labels[name] for name in classes},
        "splits": [
            {
                "name": split.name,
                "pretext": len(split.pretext),
                "train": len(split.train),
                "test": len(split.test),
            }
            for split in splits
        ],
        "uses": list(as_rows(uses)),
    }


def convergence(told: Convergence) -> dict[str, Any]:
    """How long a pretraining was, and how its task was measured from check to check."""
    return {
        "epochs": told.epochs,
        "steps": told.epochs * told.epoch_steps,
        "converged": told.converged,
        "history": [{"epoch": epoch, "loss": finite(loss)} for epoch, loss in told.history],
    }


def embeddings(signs: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, Any]:
    """Split → pretext → how its embeddings of test cases lie; what is undefined is None."""
    return {
        split: {
            pretext: {sign: finite(value) for sign, value in found.items()}
            for pretext, found in of_split.items()
        }
        for split, of_split in signs.items()
    }


def by_default(selections: Sequence[Selection]) -> list[str]:
    """The sentence on models that were taken and not chosen; none if all were chosen."""
    taken = [one for one in selections if one.folds == 0]
    if not taken:
        return []
    first = taken[0]
    shares = ", ".join(f"{share:.3g}" for share in sorted({100 * s.label_fraction for s in taken}))
    return [
        f"In {len(taken)} of {len(selections)} choices of a model ({shares} % of the labels) a "
        "class had a single labelled patient, so that nothing could be held back to choose by: "
        f"{first.chosen} was taken, the default, and is not calibrated. Label more patients."
    ]


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
    study: ResolvedStudy,
    extraction: Extraction,
    splits: Sequence[Split],
    classes: Sequence[str],
) -> list[str]:
    """What a reader of the results should know about what was left out, or is too little."""
    found = []
    if extraction.failures:
        count = len(extraction.failures)
        were = "was" if count == 1 else "were"
        found.append(f"{counted(count, 'case')} could not be used and {were} left out.")
    wanted = {SHAPE_ONLY, NO_SHAPE} & set(study.evaluate.controls)
    names = {
        name
        for prepared in extraction.prepared.values()
        for name in next(iter(prepared.values())).names
    }
    if wanted and not any("shape" in name for name in names):
        found.append("The features hold no shape class, so there is no shape-only control.")
    tested = held_back(extraction.cases, splits, classes)
    few = too_few(tested, folds=len(splits) > 1)
    return [*found, few] if few else found
