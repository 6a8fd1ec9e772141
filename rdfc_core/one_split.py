"""What a study does in one split: fit the views, train the pretexts, judge what they learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rdfc_core import judging, pretrain, residence
from rdfc_core import model as models
from rdfc_core.evaluate import linear, selection, supervised
from rdfc_core.evaluate.stages import Stages
from rdfc_core.evaluate.trial_runner import TrialRunner
from rdfc_core.explaining import Explained
from rdfc_core.features import Extraction
from rdfc_core.interfaces import View
from rdfc_core.metrics_log import Place
from rdfc_core.model import Model
from rdfc_core.resolve import ResolvedStudy
from rdfc_core.results import Selection
from rdfc_core.run_folder import RunFolder
from rdfc_core.splits import Split
from rdfc_core.training.convergence import Convergence
from rdfc_core.training.held_back import hold_back
from rdfc_core.training_state import Task
from rdfc_core.workbench import Workbench


@dataclass(frozen=True)
class Judged:
    """What the methods of a split said of its test part, and which of them were chosen."""

    entries: judging.Judged
    selections: list[Selection]


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
    for rival in study.rivals().values():
        models.fresh(rival, bench.registry, views, len(split.pretext), study.seed)


def pretrained(
    study: ResolvedStudy,
    views: Mapping[str, View],
    extraction: Extraction,
    split: Split,
    place: RunFolder,
    bench: Workbench,
    title: str = "Pretraining",
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

    Returns:
        The model, and how far it came.
    """
    patients = {case.case_id: case.patient_id for case in extraction.cases}
    taught, held_back = hold_back(split.pretext, patients, study.pretrain.held_back, study.seed)
    pretext_cases = {name: extraction.of(name, taught) for name in views}
    model = models.fresh(study, bench.registry, views, len(taught), study.seed)

    def epoch_ended(metrics: Mapping[str, float]) -> None:
        bench.registry.tell(
            "rdfc_epoch_ended", folder=place.path, split=split.name, metrics=metrics
        )

    collated, where = residence.collated(views, pretext_cases, study.pretrain, place.path)
    convergence = pretrain.fit(
        Task(
            model.pretext,
            views,
            collated,
            study.pretrain.model_copy(update={"cases_in": where}),
            study.seed,
            {name: view.collate(extraction.of(name, held_back)) for name, view in views.items()}
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
) -> dict[str, tuple[Model, Convergence]]:
    """Name → what `pretrained` gives for another pretext that is compared."""
    return {
        name: pretrained(
            rival,
            views,
            extraction,
            replace(split, name=f"{split.name}.{name}"),
            place,
            bench,
            f"Pretraining {name}",
        )
        for name, rival in study.rivals().items()
    }


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
        rivals: Name → the model of another pretext, trained on the same cases.
        extraction: All cases.
        split: Which of them train and which test.
        place: Keeps what each method said as it is done.
        bench: Registry and progress.
        explained: Is told why methods say so.
    """
    cases = {case.case_id: case for case in extraction.cases}
    test = linear.Bench.of(split, cases, model.classes, study.evaluate, study.seed)
    prepared = {n: extraction.of(n, [c.case_id for c in test.cases]) for n in model.views}
    outputs = model.outputs(prepared)
    found, model.classifier = linear.judge_learnt(test, outputs, judging.method_name(study))
    for name, rival in rivals.items():
        found += linear.judge_learnt(test, rival.outputs(prepared), name)[0]
    about = (study, test, model, outputs, extraction, bench.registry)
    found += judging.controls(*about)
    arena, stages = judging.arena(*about), Stages(place.trials)
    found += supervised.judge(arena, stages, bench.progress)
    selections: list[Selection] = []
    model.selection, model.members = None, {}
    runner = TrialRunner(arena, stages, bench.progress)
    for chosen, entries in selection.judge(runner):
        if not selections:  # the first is of all labels
            model.take_members(chosen.selection, chosen.weights(runner), study)
        selections.append(chosen.selection)
        found += entries
    explained.add(test, model, outputs, extraction)
    return Judged(found, selections)
