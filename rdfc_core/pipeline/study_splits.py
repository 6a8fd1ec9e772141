"""The splits of a study at the step that it is to reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os.path import normpath

from rdfc_core.case import Case
from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.data.splits import Split, UnsplittableError, untested
from rdfc_core.data.targets import TARGETS
from rdfc_core.errors import DataError
from rdfc_core.evaluation.patients import require_poolable
from rdfc_core.interfaces import Dataset
from rdfc_core.pipeline.steps import Step


def splits_of(
    study: ResolvedStudy,
    dataset: Dataset,
    cases: Sequence[Case],
    until: Step,
    fingerprints: Mapping[str, str] | None = None,
    images: Mapping[str, str] | None = None,
) -> list[Split]:
    """The study's splits; where there are none to be had, one that tests nothing.

    Args:
        study: Says how to split.
        dataset: The same, where the study does not.
        cases: All that can be used, as far as is known.
        until: The last step; without evaluation nothing needs to be tested.
        fingerprints: Case id → content, once files have been read.
        images: Case id → content of the image; before files have been read, their names are taken.

    Raises:
        DataError: If there are none and evaluation needs them, or patients are to be judged whose
            cases have different labels.
        StudyError: If patients cannot be judged as the study says.
    """
    if until == "evaluate":
        classes = TARGETS[study.task].classes(cases, dataset.classes)
        require_poolable(study.evaluate, cases, classes)
    spec = study.split_spec(dataset.protocol())
    images = images or {case.case_id: normpath(case.image) for case in cases}
    try:
        return TARGETS[study.task].splits(
            cases, spec, study.seed, fingerprints, images, dataset.classes
        )
    except DataError as error:
        # Features may be extracted of cases that no split could use, and pretraining needs no test.
        if until == "evaluate" or not (until == "extract" or isinstance(error, UnsplittableError)):
            raise
        return [untested(cases, spec)]
