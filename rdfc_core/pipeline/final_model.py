"""A model that all cases train, with nothing held back to test it: what an estimator fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rdfc_core.case import Case
from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.data import findings
from rdfc_core.data.case_definition import CaseDefinition
from rdfc_core.data.grey_scales import GreyScale
from rdfc_core.data.splits import Split
from rdfc_core.evaluation import baselines, model_selection, safeguards
from rdfc_core.evaluation.trials import selections
from rdfc_core.extraction.failures import Failure
from rdfc_core.extraction.needs import preparers_of
from rdfc_core.interfaces import View
from rdfc_core.models.model import Model
from rdfc_core.pipeline import per_split, precision
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.dry_run import try_on_few
from rdfc_core.pipeline.extraction import extract
from rdfc_core.pipeline.per_split import SplitRun
from rdfc_core.pipeline.run_folder import RunFolder

SPLIT = "all"
"""The name of the only split; it tests nothing."""


def train_on_all(
    study: ResolvedStudy,
    cases: Sequence[Case],
    classes: Sequence[str],
    folder: Path,
    context: RunContext,
) -> Sequence[Failure]:
    """Pretrain on all cases, and train and choose a classifier on all labels.

    Args:
        study: Resolved; its data set and split are not used.
        cases: Each with a reader; those without a label serve pretraining.
        classes: The labels in their order.
        folder: Is given the study and the model, as a run folder has them; replaced.
        context: Registry, store, executor and progress.

    Returns:
        The cases that could not be used; if there are any, nothing was trained.

    Raises:
        StudyError: If the study does not fit the cases.
        DataError: If pictures and volumes are mixed.
        PluginError: If a component breaks its contract.
    """
    place = RunFolder(folder)
    views: dict[str, View] = {n: part.build(context.registry) for n, part in study.views.items()}
    kept, volumes = context.store.path.parent, precision.encodes_volumes(views)
    study = precision.settled(study, place, True, volumes, kept)
    precision.refuse_unfit(study, volumes, kept)
    with place.claimed(study, context.registry, overwrite=True):
        try_on_few(study, cases, context, "pretrain", {})
        extraction = extract(cases, views, context)
        if extraction.failures:
            return extraction.failures
        seen = findings.seen_in(extraction.prepared)
        told = findings.case_findings(extraction.cases, seen, views=preparers_of(views))
        findings.warn(told)
        findings.warn(findings.remark_findings(extraction.remarks))
        split = Split(
            SPLIT,
            tuple(case.case_id for case in cases),
            tuple(case.case_id for case in cases if case.label is not None),
            (),
        )
        run = SplitRun(study, views, extraction, split, place, context)
        _, fitted = run.fit()
        model, _ = per_split.pretrained(run)
        model.learnt_from = {**fitted, **model.learnt_from}
        model.classes = tuple(classes)
        scale = GreyScale.of(seen[case.case_id] for case in extraction.cases)
        teach(run, model)
        per_split.remember(run, model, CaseDefinition.of(extraction.cases, scale))
        model.save(place.model(SPLIT))
    return ()


def teach(run: SplitRun, model: Model) -> None:
    """Set the model's classifier, and what is chosen, from all labels of a split; judge nothing.

    Args:
        run: Its training cases have the labels; its test part is not looked at.
        model: Of its pretext; knows the classes.
    """
    # A classifier is always asked of some cases: here of one that it knows, and nobody listens.
    asked = replace(run, split=replace(run.split, test=run.split.train[:1]))
    own = asked.evaluated(model)
    per_split.probed(asked, own)
    model.selection, model.members = None, {}
    runner, held_back = asked.trial_runner(baselines.setup(own)), None
    for choice in selections(run.study.evaluate)[:1]:  # the first is of all labels
        runner.train_ahead([choice])
        chosen = model_selection.choose(runner, choice)
        held_back = chosen.held_back
        model.take_members(chosen.selection, chosen.weights(runner), run.study)
    made = safeguards.guard(runner, model, held_back, run.extraction)
    model.safeguards, model.training_cases = made.safeguards, made.training_cases
