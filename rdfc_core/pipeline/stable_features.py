"""The features of a split that hardly change when its training cases are perturbed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdfc_core.data.cells import counted
from rdfc_core.data.splits import Split
from rdfc_core.errors import DataError, StudyError
from rdfc_core.evaluation.stability import (
    COLUMNS,
    FEWEST,
    Stability,
    one_a_patient,
    stability_of,
    table_of,
)
from rdfc_core.extraction.extract import Extraction
from rdfc_core.extraction.extract import extract as extract_cases
from rdfc_core.interfaces import View
from rdfc_core.pipeline.context import RunContext
from rdfc_core.utils.atomic import replacing
from rdfc_core.views.feature_view import FeatureView
from rdfc_core.views.perturbed import perturbed_preparers

log = logging.getLogger("rdfc")


@dataclass(frozen=True, eq=False)
class StableFeatures:
    """What a view keeps on a split.

    Args:
        split: Its name.
        view: Its name.
        options: Of the view, those about stability.
        cases: Training cases that were perturbed.
        left_out: Those that could not be measured once they were perturbed.
        stability: Of every feature.
    """

    split: str
    view: str
    options: Mapping[str, Any]
    cases: int
    left_out: int
    stability: Stability

    @property
    def kept(self) -> tuple[str, ...]:
        """The features that are kept."""
        stable = self.stability.stable(self.options["stable"], self.options["stable_by"])
        return tuple(name for name, kept in zip(self.stability.names, stable, strict=True) if kept)

    def sentence(self) -> str:
        """How many are kept, and why."""
        options, measured = self.options, len(self.stability.names)
        low = "interval's lower end" if options["stable_by"] == "low" else "estimate"
        return (
            f"{self.split}: the view {self.view!r} keeps {len(self.kept)} of {measured} features, "
            f"whose ICC(1,1) ({low}) is at least {options['stable']:g} over "
            f"{options['stable_perturbations']} perturbations ({options['stable_chain']}) of "
            f"{counted(self.cases, 'training case')}."
        )

    def facts(self) -> dict[str, Any]:
        """For the results: how many of how many, and the options."""
        return {
            "split": self.split,
            "view": self.view,
            "measured": len(self.stability.names),
            "kept": len(self.kept),
            "cases": self.cases,
            "left_out": self.left_out,
            **self.options,
        }


def keep_stable(
    views: Mapping[str, View],
    extraction: Extraction,
    split: Split,
    seed: int,
    context: RunContext,
) -> list[StableFeatures]:
    """Let the views of handcrafted features keep what is stable, as their options say.

    Cases are drawn among those that pretrain, one of each patient, and never of a patient who is
    tested. What they are measured as is stored, so that the same run does it once.

    Args:
        views: Of the study; the next `fit` leaves out what is not stable.
        extraction: All cases.
        split: Says which cases train.
        seed: Draws cases, and perturbs them.
        context: Store, executor and progress.

    Raises:
        StudyError: If a view measures no image, or no feature is stable.
        DataError: If too few cases can be measured.
    """
    found = []
    for name, view in views.items():
        if not isinstance(view, FeatureView):
            continue
        view.keep(None)
        if view.config.stable is None:
            continue
        chosen = _stable(name, view, extraction, split, seed, context)
        log.info("%s", chosen.sentence())
        if not chosen.kept:
            raise StudyError(
                f"views.{name}.stable: {chosen.sentence()} Lower it, choose stable_by: icc, or "
                "perturb less (stable_chain)."
            )
        view.keep(chosen.kept)
        found.append(chosen)
    return found


def _stable(
    name: str,
    view: FeatureView,
    extraction: Extraction,
    split: Split,
    seed: int,
    context: RunContext,
) -> StableFeatures:
    config = view.config
    if not view.measures:
        raise StudyError(
            f"views.{name}.stable: the view measures no image, and there is nothing to perturb. "
            "Leave it out."
        )
    by_id = {case.case_id: case for case in extraction.cases}
    tested = {by_id[case_id].patient_id for case_id in split.test}
    pool = [by_id[case_id] for case_id in split.pretext]
    pool = [case for case in pool if case.patient_id not in tested]
    drawn = one_a_patient(pool, config.stable_cases, seed)
    preparers = perturbed_preparers(
        view.preparer(), config.stable_chain, seed, config.stable_perturbations
    )
    measured = extract_cases(
        drawn,
        preparers,
        context.store,
        context.executor,
        context.progress,
        known=dict(extraction.fingerprints),
    )
    left_out = len(measured.failures)
    if len(measured.cases) < FEWEST:
        why = f" ({measured.failures[0].reason})" if left_out else ""
        raise DataError(
            f"views.{name}.stable: {counted(len(measured.cases), 'training case')} of "
            f"{split.name} could be measured when perturbed{why}, and it takes {FEWEST}. Leave it "
            "out, or add patients."
        )
    table, names = table_of(measured.prepared, [case.case_id for case in measured.cases])
    options = {
        key: value for key, value in config.model_dump(mode="json").items() if key[:6] == "stable"
    }
    return StableFeatures(
        split.name, name, options, len(measured.cases), left_out, stability_of(table, names)
    )


def record_stability(path: Path, found: Sequence[StableFeatures]) -> list[dict[str, Any]]:
    """Write a row a split, view and feature, without any no file; and what the results tell."""
    if not found:
        return []
    import pyarrow as pa
    from pyarrow import parquet

    rows = [
        {"split": one.split, "view": one.view, **row}
        for one in found
        for row in one.stability.rows(one.options["stable"], one.options["stable_by"])
    ]
    columns = {name: [row[name] for row in rows] for name in ("split", "view", *COLUMNS)}
    with replacing(path) as partial:
        parquet.write_table(pa.table(columns), partial)
    return [one.facts() for one in found]
