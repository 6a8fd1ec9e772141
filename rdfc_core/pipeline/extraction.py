"""The cases of a study, read and prepared. Free of torch."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path

from rdfc_core.case import Case
from rdfc_core.config.load import load_study
from rdfc_core.config.measured import Measured
from rdfc_core.config.resolve import ResolvedStudy, resolve
from rdfc_core.data import findings
from rdfc_core.data.inspection import INSPECTION, Inspection
from rdfc_core.data.targets import TARGETS
from rdfc_core.errors import DataError
from rdfc_core.extraction.extract import Extraction, refuse_mixture
from rdfc_core.extraction.extract import extract as extract_cases
from rdfc_core.extraction.failures import Failure, grouped
from rdfc_core.extraction.needs import preparers_of as preparers_of_views
from rdfc_core.extraction.needs import require_needs
from rdfc_core.extraction.store_check import StoreCheck, check_store
from rdfc_core.interfaces import Dataset, Prepared, Preparer, View
from rdfc_core.pipeline.case_list import study_cases
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.extraction_checks import check_extraction
from rdfc_core.plugin.attribution import UnexpectedError
from rdfc_core.views.size import Size
from rdfc_core.views.thumbnail import Thumbnail

log = logging.getLogger("rdfc")


def extract(
    cases: Sequence[Case],
    views: Mapping[str, View],
    context: RunContext,
    known: MutableMapping[str, str] | None = None,
) -> Extraction:
    """All views of all cases, their sizes, their thumbnails, and what there is to see in them.

    Args:
        cases: Each with a reader.
        views: View name → the view.
        context: Store, executor and progress.
        known: Case id → fingerprint that the same command has taken before; others are added.

    Raises:
        DataError: If every case failed, or pictures and volumes are mixed.
        PluginError: If a view made the same of all cases.
        UnexpectedError: If every case failed and none of it is for the user to mend.
        StudyError: If a view needs what no case has, or the label.
    """
    preparers = preparers_of(views)
    require_needs(cases, preparers)
    extraction = extract_cases(
        cases,
        preparers,
        context.store,
        context.executor,
        context.progress,
        known=known,
        left_in_store=("picture",),
    )
    if cases and not extraction.cases:
        raise _nothing_left(extraction.failures)
    # Those that came from the store were not looked at again: their sizes tell.
    found = {case_id: _axes(size) for case_id, size in extraction.prepared["size"].items()}
    refuse_mixture({ndim: case_id for case_id, ndim in reversed(found.items())})
    check_extraction(extraction, views)
    return extraction


def axes(extraction: Extraction) -> int:
    """How many axes the tumours of an extraction have: 2 or 3, all alike."""
    return _axes(next(iter(extraction.prepared["size"].values())))


def _axes(size: Prepared) -> int:
    return len(size.names) - 1


def preparers_of(views: Mapping[str, View]) -> dict[str, Preparer]:
    """What a run prepares of every case: its views, size, thumbnail and what is to be seen."""
    made = preparers_of_views(views)
    return made | {"size": Size(), "picture": Thumbnail(), INSPECTION: Inspection()}


def _nothing_left(failures: Sequence[Failure]) -> Exception:
    """What to raise when no case is left, with each reason once and what to do about it."""
    none = "The only case" if len(failures) == 1 else f"None of the {len(failures)} cases"
    used = "could not be used" if len(failures) == 1 else "could be used"
    told = f"{none} {used}. {' '.join(grouped(failures))}"
    if not any(failure.fixable for failure in failures):
        return UnexpectedError(told)
    refusing = sorted({failure.view for failure in failures if failure.view})
    if any(failure.fixable and not failure.view for failure in failures):
        told += " List every problem of the files with: rdfc datasets check."
    elif refusing:
        told += (
            f" Their files can be read: it is the view {' and '.join(map(repr, refusing))} that "
            "refuses them. Change its options, or choose another component for it."
        )
    return DataError(told)


def extract_shard(
    study: ResolvedStudy | Measured, shard: tuple[int, int], context: RunContext
) -> Extraction:
    """One of N equal parts of a study's extraction, into the store and nowhere else.

    Args:
        study: Resolved, or what of it can be made here; what is left out is told.
        shard: (I, N): every N-th case, beginning with the I-th.
        context: Registry, store, executor and progress.

    Raises:
        DataError: If the data set cannot be used, or every case of the part failed.
    """
    number, parts = shard
    for view, reason in getattr(study, "left_out", {}).items():
        log.warning("The view %r is left to where the study is trained. %s", view, reason)
    dataset: Dataset = study.build_dataset(context.registry)
    views: dict[str, View] = {n: v.build(context.registry) for n, v in study.views.items()}
    cases = study_cases(study, dataset, context.registry)
    doubts = TARGETS[study.task].findings(cases, dataset.classes)
    findings.warn(findings.listing_findings(dataset, cases, doubts))
    extraction = extract(cases[number - 1 :: parts], views, context)
    seen = findings.seen_in(extraction.prepared)
    shown = preparers_of_views(views)
    findings.warn(findings.case_findings(extraction.cases, seen, views=shown))
    findings.warn(findings.remark_findings(extraction.remarks))
    return extraction


def check_stored(
    source: Path, overrides: Sequence[str], sample: int | None, seed: int, context: RunContext
) -> StoreCheck:
    """Measure what the store holds of a study's cases again; what differs is removed.

    Args:
        source: The study's file.
        overrides: ``KEY=VALUE``, over the file.
        sample: So many cases, drawn at random; None: all.
        seed: Of the draw.
        context: Registry, store, executor and progress.

    Raises:
        StudyError: If the study cannot be read.
        DataError: If its data set, or the store, cannot be used.
    """
    with context.progress.waiting("Reading the study, and listing its cases"):
        study = resolve(load_study(source, overrides), context.registry)
        dataset: Dataset = study.build_dataset(context.registry)
        views: dict[str, View] = {n: v.build(context.registry) for n, v in study.views.items()}
        cases = study_cases(study, dataset, context.registry)
    return check_store(
        cases, preparers_of(views), context.store, context.executor, sample, context.progress, seed
    )
