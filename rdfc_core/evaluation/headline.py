"""What a run's headline rests on: the model it stands for against what it has to beat."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rdfc_core.config.settings import EvaluateSettings
from rdfc_core.evaluation.bootstrap import Prediction, paired, resampled
from rdfc_core.evaluation.linear_probe import SCALED, Entry
from rdfc_core.evaluation.paired_tests import holm
from rdfc_core.evaluation.trials import LOGISTIC, SELECTED, c_name, logistic_name

METRIC = "f1_weighted"
FINETUNED, FROM_SCRATCH, UNTRAINED = "hybrid-finetune", "hybrid-scratch", "random-init"
BASELINES = (FROM_SCRATCH, "resnet-scratch", "radiomics-logistic", "radiomics")
"""Methods that begin from no pretext, and stand with the controls."""

Found = Mapping[Entry, Sequence[Prediction]]


@dataclass(frozen=True)
class Against:
    """One entry less another, paired by case; ``p_corrected`` is Holm's over the headline."""

    of: Entry
    less: Entry
    difference: float
    ci_low: float
    ci_high: float
    p: float
    p_corrected: float = math.nan


def main_entry(found: Found, method: str, variant: Mapping[str, str]) -> Entry | None:
    """What the headline is about: the chosen model, otherwise the variant named beforehand.

    Args:
        found: Everything that was judged.
        method: How tables call the study's pretext.
        variant: Input, layer and classifier of the linear probe that was named.
    """
    for wanted in (
        Entry("supervised", SELECTED, "", "", ""),
        Entry("linear", method, variant["input"], variant["layer"], variant["classifier"]),
    ):
        if wanted in found:
            return wanted
    return None


def against(
    settings: EvaluateSettings, found: Found, main: Entry, method: str, seed: int
) -> list[Against]:
    """The main entry less each control, each network from scratch and conventional radiomics.

    And what pretraining is worth by itself: the fine-tuned network less the one from scratch, the
    linear probe less that of the untrained network.

    Args:
        settings: Resamples, coverage, and the variants that were named beforehand.
        found: Everything that was judged.
        main: As `main_entry` gives it.
        method: How tables call the study's pretext.
        seed: Decides the resamples, as in the tables.
    """
    pairs = list(dict.fromkeys(_pairs(settings, found, main, method)))
    taken = dict.fromkeys(entry for pair in pairs for entry in pair)
    drawn = {e: resampled(found[e], settings.bootstrap, seed)[METRIC] for e in taken}
    tested = [
        Against(a, b, *paired(drawn[a], drawn[b], settings.confidence, seed)) for a, b in pairs
    ]
    corrected = holm([one.p for one in tested])
    return [replace(one, p_corrected=p) for one, p in zip(tested, corrected, strict=True)]


def _pairs(
    settings: EvaluateSettings, found: Found, main: Entry, method: str
) -> Iterator[tuple[Entry, Entry]]:
    full = [e for e in found if e.label_fraction == 1 and not e.classifier.endswith(SCALED)]
    labelled = {
        e.method: e for e in full if e.table == "supervised" and _named_beforehand(e, settings)
    }
    controls = {e.method: e for e in full if e.table == "control"}  # all views come last
    yield from ((main, labelled[name]) for name in BASELINES if name in labelled)
    yield from ((main, entry) for entry in controls.values())
    if {FINETUNED, FROM_SCRATCH} <= set(labelled):
        yield labelled[FINETUNED], labelled[FROM_SCRATCH]
    if UNTRAINED in controls:
        probe = replace(controls[UNTRAINED], table="linear", method=method)
        if probe in found:
            yield probe, controls[UNTRAINED]


def _named_beforehand(entry: Entry, settings: EvaluateSettings) -> bool:
    """Whether the entry is the variant of its method that the study judges."""
    if entry.method == FINETUNED:
        return entry.input == settings.supervised.finetune.name
    first_c = logistic_name(c_name(settings.radiomics_c[0]))
    return entry.method not in LOGISTIC or entry.classifier == first_c
