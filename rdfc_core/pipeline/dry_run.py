"""A study tried on two cases: what would be refused after hours is refused before them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import replace

from rdfc_core.case import Case
from rdfc_core.config.resolve import ResolvedPart, ResolvedStudy
from rdfc_core.contract.global_state import UNLIKELY_SEED
from rdfc_core.errors import DataError, PluginError, StudyError
from rdfc_core.evaluation import linear_probe, supervised
from rdfc_core.extraction import extract
from rdfc_core.extraction.extract import Extraction
from rdfc_core.extraction.failures import Breach
from rdfc_core.interfaces import View
from rdfc_core.models.initialisation import NO_EMBEDDINGS
from rdfc_core.models.model import fresh as fresh_model
from rdfc_core.pipeline import extraction_checks, trial_checks
from rdfc_core.pipeline.compared_networks import built
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.evaluator_checks import check_evaluators
from rdfc_core.pipeline.extraction import preparers_of
from rdfc_core.pipeline.steps import Step, reaches
from rdfc_core.results.vocabulary import EMBEDDING, HYBRID_FINETUNE

log = logging.getLogger("rdfc")

WANTED = 2
"""Cases: some views cannot be fitted on one."""
TRIED = 4
"""Cases that are tried before it is left to the extraction to say what is the matter with them."""


def try_on_few(
    study: ResolvedStudy,
    cases: Sequence[Case],
    context: RunContext,
    until: Step,
    known: MutableMapping[str, str],
    classes: int = 2,
) -> None:
    """Build every network of the study on its first cases, and run them once.

    The cases' features are stored, so that the extraction does not make them again.

    Args:
        study: Resolved.
        cases: Of its data set.
        context: Registry, store and executor.
        until: The last step that is wanted; methods are tried if it is to evaluate.
        known: Case id → fingerprint, as far as they have been taken; others are added.
        classes: How many classes the study tells apart.

    Raises:
        StudyError: If an encoder, a pretext or a method cannot be built as the study asks for.
        ShapeError: If the networks do not fit the cases.
        PluginError: If a component breaks its contract.
    """
    study = replace(study, views={name: _on_few(part) for name, part in study.views.items()})
    views: dict[str, View] = {n: v.build(context.registry) for n, v in study.views.items()}
    extraction = _first(cases, views, context, known)
    if extraction is None:
        return
    prepared = {name: extraction.of(name, [c.case_id for c in extraction.cases]) for name in views}
    try:
        for name, view in views.items():
            view.fit(prepared[name])
    except DataError as error:  # perhaps of so few: all of them will tell
        log.debug("The study was not tried on two cases: %s", error)
        return
    if reaches(until, "evaluate"):
        supervised.check(study.evaluate, views)
    trial_checks.check_views(study, views, prepared, context.registry)
    trial_checks.check_parts(study, context.registry)
    extraction_checks.check_different(extraction, views)
    own = fresh_model(study, context.registry, views, WANTED, UNLIKELY_SEED)
    trial_checks.check_outputs(own, prepared)
    outputs = own.outputs(prepared)
    _require_embeddings(study, outputs)
    if reaches(until, "evaluate"):
        check_evaluators(study, own.views, prepared, outputs, classes, context.registry)
    for model in built(study, views, WANTED, context.registry).values():
        outputs = model.outputs(prepared)
        if study.evaluate.compared == "finetune":
            _require_embeddings(study, outputs)


def _on_few(view: ResolvedPart) -> ResolvedPart:
    """The view without harmonisers, which two cases say too little for."""
    kept = {key: part for key, part in view.parts.items() if part.kind != "harmoniser"}
    left_out = dict.fromkeys(set(view.parts) - set(kept))
    return replace(view, config=view.config.model_copy(update=left_out), parts=kept)


def _require_embeddings(study: ResolvedStudy, outputs: linear_probe.Outputs) -> None:
    """Refuse a fine-tuning on embeddings that a pretext does not have."""
    finetuned = HYBRID_FINETUNE in study.evaluate.methods
    if finetuned and study.evaluate.supervised.head == EMBEDDING and not outputs[EMBEDDING]:
        raise StudyError(NO_EMBEDDINGS)


def _first(
    cases: Sequence[Case],
    views: Mapping[str, View],
    context: RunContext,
    known: MutableMapping[str, str],
) -> Extraction | None:
    """The first cases that can be prepared, or None if those that were tried cannot."""
    for count in (WANTED, TRIED):
        extraction = extract.extract(
            cases[:count], preparers_of(views), context.store, context.executor, known=known
        )
        for failure in extraction.failures:
            if isinstance(failure, Breach):  # no file is at fault: the next case tells the same
                raise PluginError(failure.reason)
        if len(extraction.cases) >= WANTED:
            return extraction
    return None
