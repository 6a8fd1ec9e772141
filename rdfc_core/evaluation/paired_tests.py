"""Paired tests between methods, on the same patients, with Holm's correction."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.evaluation.bootstrap import Prediction, paired, resampled
from rdfc_core.evaluation.delong import delong
from rdfc_core.evaluation.linear_probe import Variant, main_classifier
from rdfc_core.evaluation.study_metrics import OwnMetrics
from rdfc_core.evaluation.trials import named_beforehand
from rdfc_core.results.vocabulary import (
    AUROC,
    BLOCK_METHODS,
    ECE,
    FEATURES,
    FINETUNED_SUFFIX,
    INPUT_HEADINGS,
    LABEL_EFFICIENCY,
    LINEAR,
    SHUFFLED_CORRESPONDENCE,
    SUPERVISED,
)

UNTESTED = (ECE,)
"""The calibration error: its bias on few cases is another for every method."""

BOOTSTRAP, DELONG = "paired-bootstrap", "delong"


@dataclass(frozen=True)
class Compared:
    """Two methods of a table; ``difference`` is A less B.

    ``p_corrected`` is Holm's over all pairs and shares of labels of one table, metric and test.
    NaN where a number is undefined.
    """

    table: str
    label_fraction: float
    metric: str
    method_a: str
    method_b: str
    difference: float
    ci_low: float
    ci_high: float
    p: float
    p_corrected: float
    test: str


def compare(
    judged: Mapping[Variant, Sequence[Prediction]],
    resamples: int,
    confidence: float,
    seed: int,
    parts: Mapping[Variant, Sequence[Prediction]] | None = None,
    own: OwnMetrics | None = None,
) -> list[Compared]:
    """Every pair of methods of a table, at each share of the labels.

    In linear evaluation like is compared with like: a method that learnt from one view with the
    same view of another method. All views of that other one come beside it, named as such:
    ``rdfc (both views)``.

    Args:
        judged: Of each method the one variant that was named beforehand; on the same cases.
        resamples: Number of bootstrap resamples; the smallest p is 2/(resamples + 1).
        confidence: Coverage of the intervals.
        seed: Decides the resamples: the same for all methods.
        parts: The same variants on one view each, as `views_apart` gives them.
        own: The study's own metrics.
    """
    known = {**(parts or {}), **judged}
    fields: dict[tuple[str, float], list[Variant]] = defaultdict(list)
    for variant in judged:
        fields[variant.table, variant.label_fraction].append(variant)
    found: list[Compared] = []
    for entries in fields.values():
        pairs = list(_pairs(entries, list(parts or {})))
        taken = dict.fromkeys(variant for a, b, _ in pairs for variant in (a, b))
        drawn = {variant: resampled(known[variant], resamples, seed, own) for variant in taken}
        for a, b, names in pairs:
            for metric in drawn[a]:
                if metric in UNTESTED:
                    continue
                numbers = paired(drawn[a][metric], drawn[b][metric], confidence, seed)
                found.append(_compared(a, names, metric, numbers, BOOTSTRAP))
            if AUROC not in drawn[a]:
                continue
            by_ranks = delong(known[a], known[b])
            numbers = (by_ranks.value, *by_ranks.interval(confidence), by_ranks.p)
            found.append(_compared(a, names, AUROC, numbers, DELONG))
    return list(_corrected(found))


def _pairs(
    entries: Sequence[Variant], parts: Sequence[Variant]
) -> Iterator[tuple[Variant, Variant, tuple[str, str]]]:
    """Which variants are compared, and how they are called."""
    apart = {(part.method, part.input): part for part in parts}

    def views(variant: Variant) -> list[str]:
        """What the entry has seen: of three views, ``both`` may be any two."""
        own = [view for method, view in apart if method == variant.method]
        return own if variant.input in INPUT_HEADINGS and own else [variant.input]

    def named(variant: Variant, other: Variant) -> str:
        several = INPUT_HEADINGS.get(variant.input)
        if several and variant.input == other.input:
            several = " and ".join(views(variant))
        return f"{variant.method} ({several})" if several else variant.method

    for a, b in itertools.combinations(entries, 2):
        if a.table != LINEAR or set(views(a)) == set(views(b)):
            yield a, b, (a.method, b.method)
            continue
        shared = [view for view in views(a) if view in views(b)]
        for view in shared:
            names = (a.method, b.method)
            if len(views(a)) > 1 and len(views(b)) > 1:
                names = (f"{a.method} ({view})", f"{b.method} ({view})")
            yield apart.get((a.method, view), a), apart.get((b.method, view), b), names
        yield a, b, (named(a, b), named(b, a))


def views_apart(
    settings: EvaluateSettings, found: Mapping[Variant, Sequence[Prediction]]
) -> dict[Variant, Sequence[Prediction]]:
    """Of linear evaluation, what `judged_variants` chooses on each view alone."""
    return {
        variant: predictions
        for variant, predictions in found.items()
        if (variant.table, variant.layer, variant.classifier)
        == (LINEAR, FEATURES, main_classifier(settings))
        and variant.input not in INPUT_HEADINGS
    }


def judged_variants(
    settings: EvaluateSettings, found: Mapping[Variant, Sequence[Prediction]]
) -> dict[Variant, Sequence[Prediction]]:
    """Of each method of a table the variant that the study named beforehand; no control.

    Linear evaluation: the first linear classifier on the features of all views that the method
    trained. Fine-tuning: the setting ``supervised.finetune``. Logistic regression on handcrafted
    features: the first of ``radiomics_c``. Probabilities as they were said.
    """
    chosen: dict[tuple[str, str, float], Variant] = {}
    first = named_beforehand(settings)
    for variant in found:
        wanted = {
            LINEAR: (variant.layer, variant.classifier) == (FEATURES, main_classifier(settings)),
            SUPERVISED: not variant.method.endswith(FINETUNED_SUFFIX)
            or variant.input == settings.supervised.finetune.name,
            LABEL_EFFICIENCY: True,
        }
        if variant.method in BLOCK_METHODS and variant.classifier != first:
            continue
        if variant.method.removesuffix(FINETUNED_SUFFIX) == SHUFFLED_CORRESPONDENCE:
            continue
        if wanted.get(variant.table, False) and variant != variant.scaled():
            # All views together come after each of them alone.
            chosen[variant.table, variant.method, variant.label_fraction] = variant
    return {variant: found[variant] for variant in chosen.values()}


def _compared(
    a: Variant,
    methods: tuple[str, str],
    metric: str,
    numbers: tuple[float, float, float, float],
    test: str,
) -> Compared:
    difference, low, high, p = numbers
    return Compared(
        a.table, a.label_fraction, metric, *methods, difference, low, high, p, math.nan, test
    )


def _corrected(found: Sequence[Compared]) -> Iterator[Compared]:
    families: dict[tuple[str, str, str], list[Compared]] = defaultdict(list)
    for one in found:
        families[one.table, one.metric, one.test].append(one)
    for family in families.values():
        for one, p in zip(family, holm([member.p for member in family]), strict=True):
            yield replace(one, p_corrected=p)


def holm(p: Sequence[float]) -> list[float]:
    """P-values corrected for their number; NaN stays NaN and counts for nothing.

    Source: Holm 1979.
    """
    order = sorted((i for i, one in enumerate(p) if not math.isnan(one)), key=lambda i: p[i])
    found, least = [math.nan] * len(p), 0.0
    for done, place in enumerate(order):
        least = max(least, min(1.0, (len(order) - done) * p[place]))
        found[place] = least
    return found
