"""What a study does in one split: fit the views, train the pretexts, judge what they learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.data.splits import Split
from rdfc_core.evaluation import baselines, linear_probe, model_selection, supervised
from rdfc_core.evaluation.explanations import Explained
from rdfc_core.evaluation.trial_runner import TrialRunner
from rdfc_core.evaluation.trial_store import Stages
from rdfc_core.extraction.extract import Extraction
from rdfc_core.interfaces import View
from rdfc_core.models import model as models
from rdfc_core.models.model import Model
from rdfc_core.pipeline import arms
from rdfc_core.pipeline.context import Workbench
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.results.schema import Selection
from rdfc_core.training import placement, pretrain
from rdfc_core.training.collapse import collapse_signs
from rdfc_core.training.convergence import Convergence
from rdfc_core.training.false_pairs import false_pairs
from rdfc_core.training.held_back import hold_back
from rdfc_core.training.metrics_log import Place
from rdfc_core.training.state import Task

LOOKED_AT = 100
"""Test cases at most, so that how many find their partner means the same in every split."""

Outputs = Mapping[str, Mapping[str, NDArray[np.float32]]]
"""What `Model.outputs` gives."""


Signs = dict[str, dict[str, float]]
"""Pretext → `collapse_signs` of its embeddings of test cases, and how many these are."""


@dataclass(frozen=True)
class Judged:
    """What the methods of a split said of its test part, and which of them were chosen.

    Args:
        entries: Each method's predictions.
        selections: What was chosen, a share and draw of the labels each.
        embeddings: Pretext → how its embeddings of test cases lie, of `LOOKED_AT` cases at most.
    """

    entries: baselines.Judged
    selections: list[Selection]
    embeddings: Signs


def fit(
    study: ResolvedStudy,
    views: Mapping[str, View],
    extraction: Extraction,
    split: Split,
    bench: Workbench,
) -> None:
    """Fit the views on the split's pretext cases alone; refuse what could not be trained on them.

    Raises:
        StudyError: If a pretext, or a method that the study names, does not fit the views.
    """
    for name, view in views.items():
        view.fit(extraction.of(name, split.pretext))
    supervised.check(study.evaluate, views)
    arms.built(study, views, len(split.pretext), bench.registry)


def pretrained(
    study: ResolvedStudy,
    views: Mapping[str, View],
    extraction: Extraction,
    split: Split,
    place: RunFolder,
    bench: Workbench,
    title: str = "Pretraining",
    shuffled: bool = False,
) -> tuple[Model, Convergence]:
    """The model of a split: its pretext is trained on the split's pretext cases alone.

    Some of them may be held back, to tell when it has learnt.

    Args:
        study: Names the pretext.
        views: View name → the view, fitted on these cases.
        extraction: All cases.
        split: Names the pretext cases, and the checkpoint.
        place: Where checkpoints and metrics go.
        bench: Registry, progress and processes.
        title: What the progress is called.
        shuffled: Show views of different cases together.

    Returns:
        The model, and how far it came.
    """
    patients = {case.case_id: case.patient_id for case in extraction.cases}
    taught, held_back = hold_back(split.pretext, patients, study.pretrain.held_back, study.seed)

    def shown(case_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        if not shuffled:
            return dict.fromkeys(views, case_ids)
        return false_pairs(case_ids, patients, list(views), study.seed)

    pretext_cases = {name: extraction.of(name, ids) for name, ids in shown(taught).items()}
    model = models.fresh(study, bench.registry, views, len(taught), study.seed)

    def epoch_ended(metrics: Mapping[str, float]) -> None:
        bench.registry.tell(
            "rdfc_epoch_ended", folder=place.path, split=split.name, metrics=metrics
        )

    collated, where = placement.collated(views, pretext_cases, study.pretrain, place.path)
    convergence = pretrain.fit(
        Task(
            model.pretext,
            views,
            collated,
            study.pretrain.model_copy(update={"cases_in": where}),
            study.seed,
            {n: views[n].collate(extraction.of(n, ids)) for n, ids in shown(held_back).items()}
            if held_back
            else {},
        ),
        Place(place.path, split.name),
        bench.progress,
        epoch_ended,
        title,
        bench.team,
    )
    return model, convergence


def rivals(
    study: ResolvedStudy,
    views: Mapping[str, View],
    extraction: Extraction,
    split: Split,
    place: RunFolder,
    bench: Workbench,
    own: Convergence,
) -> dict[str, tuple[Model, Convergence | None]]:
    """Name → the model of each network that is judged beside the study's own, as `pretrained`.

    Args:
        study: Says which.
        views: View name → the study's view, fitted on these cases.
        extraction: All cases.
        split: Names the pretext cases, and with the network's name the checkpoint.
        place: Where checkpoints and metrics go.
        bench: Registry, progress and processes.
        own: How far the study's own pretext came.

    Returns:
        The models, and how far they came; None for a network that is judged as it begins, and for
        shuffled pairs: they take the steps of the study's own pretext, however far they come.
    """
    found: dict[str, tuple[Model, Convergence | None]] = {}
    for arm in arms.arms(study):
        seen = arm.views(views, bench.registry)
        if not arm.trained:
            model = models.fresh(arm.study, bench.registry, seen, len(split.pretext), study.seed)
            model.calibrate({name: extraction.of(name, split.pretext) for name in seen})
            found[arm.name] = model, None
            continue
        model, came = pretrained(
            replace(arm.study, pretrain=arm.settings(own)),
            seen,
            extraction,
            replace(split, name=f"{split.name}.{arm.name}"),
            place,
            bench,
            f"Pretraining {arm.name}",
            arm.shuffled,
        )
        found[arm.name] = model, None if arm.shuffled else came
    return found


def evaluate(
    study: ResolvedStudy,
    model: Model,
    rivals: Mapping[str, Model],
    extraction: Extraction,
    split: Split,
    place: RunFolder,
    bench: Workbench,
    explained: Explained,
) -> Judged:
    """The tables of a split, and the controls; sets the model's classifier, and what is chosen.

    Args:
        study: Says which.
        model: Of its pretext.
        rivals: Name → the model of a network that is judged beside it, as `rivals` gives them.
        extraction: All cases.
        split: Which of them train and which test.
        place: Keeps what each method said as it is done.
        bench: Registry and progress.
        explained: Is told why methods say so.
    """
    cases = {case.case_id: case for case in extraction.cases}
    test = linear_probe.Bench.of(split, cases, model.classes, study.evaluate, study.seed)
    prepared = {n: extraction.of(n, [c.case_id for c in test.cases]) for n in model.views}
    outputs = model.outputs(prepared)
    found, model.classifier = linear_probe.judge_learnt(test, outputs, baselines.method_name(study))
    seen = {name: rival.outputs(prepared) for name, rival in rivals.items()}
    for name, shown in seen.items():
        found += linear_probe.judge_compared(test, shown, name)
    collated = baselines.collated(test, model, extraction)
    about = (study, test, model, outputs, collated, extraction, bench.registry)
    found += baselines.controls(*about)
    arena, stages = baselines.arena(*about), Stages(place.trials)
    found += supervised.judge(arena, stages, bench.progress)
    selections: list[Selection] = []
    model.selection, model.members = None, {}
    runner = TrialRunner(arena, stages, bench.progress)
    for chosen, entries in model_selection.judge(runner):
        if not selections:  # the first is of all labels
            model.take_members(chosen.selection, chosen.weights(runner), study)
        selections.append(chosen.selection)
        found += entries
    for arm in arms.arms(study) if study.evaluate.compared == "finetune" else ():
        rival = rivals[arm.name]
        own = baselines.collated(test, rival, extraction)
        about = (arm.study, test, rival, seen[arm.name], own, extraction, bench.registry)
        arena = replace(baselines.arena(*about), pretext=arm.name, compared=True)
        found += supervised.judge(arena, stages, bench.progress)
    explained.add(test, model, outputs, collated, extraction)
    methods = {baselines.method_name(study): outputs, **seen}
    tested = range(len(split.train), len(split.train) + len(split.test))[:LOOKED_AT]
    return Judged(found, selections, {n: _signs(one, tested) for n, one in methods.items()})


def _signs(outputs: Outputs, tested: range) -> dict[str, float]:
    """How many cases, and `collapse_signs` of their embeddings; none where a pretext has none."""
    place = slice(tested.start, tested.stop)
    rows = {name: torch.from_numpy(one[place]) for name, one in outputs["embedding"].items()}
    if not rows or len(tested) < 2 or len({one.shape[1] for one in rows.values()}) > 1:
        return {}
    return {"cases": len(tested), **collapse_signs(rows)}
