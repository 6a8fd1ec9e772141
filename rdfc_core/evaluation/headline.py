"""What a run's headline rests on: the model it stands for against what it has to beat."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.evaluation.bootstrap import Prediction, paired, resampled
from rdfc_core.evaluation.linear_probe import Variant
from rdfc_core.evaluation.paired_tests import holm
from rdfc_core.evaluation.tasks import task_of
from rdfc_core.evaluation.trials import named_beforehand
from rdfc_core.results.vocabulary import (
    BLOCK_METHODS,
    CALIBRATED,
    COLUMNS_LOGISTIC,
    COLUMNS_RIDGE,
    CONTROL,
    HYBRID_FINETUNE,
    HYBRID_SCRATCH,
    LINEAR,
    METHODS,
    RADIOMICS,
    RADIOMICS_LOGISTIC,
    RADIOMICS_RIDGE,
    RANDOM_INIT,
    RAW,
    RESNET_SCRATCH,
    SELECTED,
    SUPERVISED,
)

BASELINES = (
    HYBRID_SCRATCH,
    RESNET_SCRATCH,
    RADIOMICS_LOGISTIC,
    RADIOMICS_RIDGE,
    RADIOMICS,
    COLUMNS_LOGISTIC,
    COLUMNS_RIDGE,
)
"""Methods that begin from no pretext, and stand with the controls."""

Found = Mapping[Variant, Sequence[Prediction]]


@dataclass(frozen=True)
class TestedPair:
    """One variant less another, paired by case; ``p_corrected`` is Holm's over the headline."""

    of: Variant
    less: Variant
    difference: float
    ci_low: float
    ci_high: float
    p: float
    p_corrected: float = math.nan


def headline_variant(found: Found, method: str, probe: Mapping[str, str]) -> Variant | None:
    """What the headline is about: the chosen model, otherwise the variant named beforehand.

    Args:
        found: Everything that was judged.
        method: How tables call the study's pretext.
        probe: Input, layer and classifier of the linear probe that was named.
    """
    for wanted in (
        Variant(SUPERVISED, SELECTED, "", "", ""),
        Variant(LINEAR, method, probe["input"], probe["layer"], probe["classifier"]),
    ):
        if wanted in found:
            return wanted
    return None


def against(
    settings: EvaluateSettings, found: Found, main: Variant, method: str, seed: int
) -> list[TestedPair]:
    """The main variant less each control, each network from scratch and conventional radiomics.

    And what pretraining is worth by itself: the fine-tuned network less the one from scratch, the
    linear probe minus that of the untrained network.

    Args:
        settings: Resamples, coverage, and the variants that were named beforehand.
        found: Everything that was judged.
        main: As `headline_variant` gives it.
        method: How tables call the study's pretext.
        seed: Decides the resamples, as in the tables.
    """
    pairs = list(dict.fromkeys(_pairs(settings, found, main, method)))
    taken = dict.fromkeys(variant for pair in pairs for variant in pair)
    metric = task_of(settings).deciding
    drawn = {e: resampled(found[e], settings.bootstrap, seed)[metric] for e in taken}
    tested = [
        TestedPair(a, b, *paired(drawn[a], drawn[b], settings.confidence, seed)) for a, b in pairs
    ]
    corrected = holm([one.p for one in tested])
    return [replace(one, p_corrected=p) for one, p in zip(tested, corrected, strict=True)]


def _pairs(
    settings: EvaluateSettings, found: Found, main: Variant, method: str
) -> Iterator[tuple[Variant, Variant]]:
    full = [e for e in found if e.label_fraction == 1 and not e.classifier.endswith(CALIBRATED)]
    labelled = {
        e.method: e for e in full if e.table == SUPERVISED and _named_beforehand(e, settings)
    }
    controls = {e.method: e for e in full if e.table == CONTROL}  # all views come last
    yield from ((main, labelled[name]) for name in BASELINES if name in labelled)
    yield from ((main, one) for name, one in labelled.items() if of_evaluator(name, one.layer))
    yield from ((main, variant) for variant in controls.values())
    if {HYBRID_FINETUNE, HYBRID_SCRATCH} <= set(labelled):
        yield labelled[HYBRID_FINETUNE], labelled[HYBRID_SCRATCH]
    if RANDOM_INIT in controls:
        probe = replace(controls[RANDOM_INIT], table=LINEAR, method=method)
        if probe in found:
            yield probe, controls[RANDOM_INIT]


def of_evaluator(method: str, layer: str) -> bool:
    """Whether a row is that of an evaluator that begins from no pretext."""
    return layer == RAW and method not in METHODS


def _named_beforehand(variant: Variant, settings: EvaluateSettings) -> bool:
    """Whether this is the variant of its method that the study judges."""
    if variant.method == HYBRID_FINETUNE:
        return variant.input == settings.supervised.finetune.name
    first = named_beforehand(settings)
    return variant.method not in BLOCK_METHODS or variant.classifier == first
