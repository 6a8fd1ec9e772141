"""What a run notes beside its numbers: the data, how training went, what is missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Case
from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.data.accounting import Use, as_rows
from rdfc_core.data.cells import counted
from rdfc_core.data.inspection import Inspected
from rdfc_core.data.splits import Split
from rdfc_core.data.targets import TARGETS
from rdfc_core.evaluation.sample_size import held_back, too_few
from rdfc_core.evaluation.tasks import TASKS
from rdfc_core.extraction.extract import Extraction
from rdfc_core.interfaces import Dataset
from rdfc_core.results.schema import (
    Selection,
    finite,
)
from rdfc_core.results.vocabulary import CLASSIFICATION, NO_SHAPE, SHAPE_ONLY, TaskName


def describe(
    study: ResolvedStudy,
    dataset: Dataset,
    cases: Sequence[Case],
    splits: Sequence[Split],
    classes: Sequence[str],
    uses: Sequence[Use],
    seen: Mapping[str, Inspected],
) -> dict[str, Any]:
    """The data set in numbers: classes, cases, patients, the size of each part, and every use.

    Args:
        study: Names the data set.
        dataset: Says how to cite it.
        cases: All that are listed.
        splits: That were made of them.
        classes: Those that are told apart; a case with another label counts as unlabelled.
        uses: What each case was used for.
        seen: Case id → what there is to see in it.
    """
    targets = TARGETS[study.task]
    return {
        "name": study.dataset.name,
        "citation": dataset.citation,
        "classes": list(classes),
        "cases": len(cases),
        "patients": len({case.patient_id for case in cases}),
        "unlabelled": sum(not targets.counts(case.label, classes) for case in cases),
        "tested": held_back(cases, splits, targets.groups(classes)),
        **targets.summary(cases, classes),
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
        "images": image_sizes(seen),
    }


def image_sizes(seen: Mapping[str, Inspected]) -> dict[str, Any]:
    """Smallest, median and largest size of the outlines' boxes, and of a sample, over the cases.

    Args:
        seen: Case id → what there is to see in it.

    Returns:
        ``box_mm``: an axis each, axial planes first; ``sample_size``: mm² of pictures, mm³ of
        volumes. Empty where cases have several numbers of axes, or none is known.
    """
    known = [one for one in seen.values() if one.box_mm and len(one.box_mm) == len(one.extents)]
    if not known or len({len(one.box_mm) for one in known}) > 1:
        return {}
    boxes = np.array([one.box_mm for one in known])
    sizes = boxes.prod(axis=1) / np.array([one.extents for one in known]).prod(axis=1)
    return {
        "box_mm": [_range(column) for column in boxes.T],
        "sample_size": _range(sizes),
    }


def _range(values: NDArray[np.float64]) -> list[float]:
    return [float(one) for one in np.quantile(values, (0, 0.5, 1))]


def embeddings(signs: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, Any]:
    """Split → pretext → how its embeddings of test cases lie; what is undefined is None."""
    return {
        split: {
            pretext: {sign: finite(value) for sign, value in found.items()}
            for pretext, found in of_split.items()
        }
        for split, of_split in signs.items()
    }


def by_default(selections: Sequence[Selection], task: TaskName = CLASSIFICATION) -> list[str]:
    """The sentence on models that were taken and not chosen; none if all were chosen."""
    taken = [one for one in selections if one.folds == 0]
    if not taken:
        return []
    first, few = taken[0], TASKS[task].too_few_labels
    shares = ", ".join(f"{share:.3g}" for share in sorted({100 * s.label_fraction for s in taken}))
    return [
        f"In {len(taken)} of {len(selections)} choices of a model ({shares} % of the labels) "
        f"{few}, so that nothing could be held back to choose by: {first.chosen} was taken, the "
        "default, and is not calibrated. Label more patients."
    ]


def left_out(extraction: Extraction) -> dict[str, Any]:
    """What could not be used or measured, and what was done differently, as results keep it."""
    return {
        "failed": tuple(asdict(failure) for failure in extraction.failures),
        "missing": tuple(missing(extraction)),
        "remarks": tuple(remarks(extraction)),
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


def remarks(extraction: Extraction) -> list[dict[str, Any]]:
    """What was done differently for some cases, and for which."""
    return [{"remark": remark, "cases": ids} for remark, ids in extraction.remarks.items()]


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
    groups = TARGETS[study.task].groups(classes)
    tested = held_back(extraction.cases, splits, groups)
    few = too_few(tested, folds=len(splits) > 1)
    return [*found, few] if few else found
