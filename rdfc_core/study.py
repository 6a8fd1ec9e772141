"""A study from its data to its results: `run` reads as a paper's method section."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rdfc_core import features, judging, outputs, pretrain, residence, summary
from rdfc_core import model as models
from rdfc_core.case import Case
from rdfc_core.evaluate import linear, supervised
from rdfc_core.evaluate.stages import Stages
from rdfc_core.evaluate.statistics import Prediction
from rdfc_core.explaining import Explained
from rdfc_core.features import Extraction
from rdfc_core.interfaces import Dataset, View
from rdfc_core.labels import ALIKE_FIX, doubtful_labels
from rdfc_core.metrics_log import Place
from rdfc_core.model import Model
from rdfc_core.progress import Clock
from rdfc_core.readers.auto import AutoReader
from rdfc_core.resolve import ResolvedStudy
from rdfc_core.results import Results
from rdfc_core.run_folder import RunFolder, machine
from rdfc_core.splits import Split, make_splits
from rdfc_core.steps import Step, reaches
from rdfc_core.training_state import Task
from rdfc_core.workbench import Workbench, extract, read_cases

log = logging.getLogger("rdfc")


def run(
    study: ResolvedStudy,
    folder: Path,
    bench: Workbench,
    overwrite: bool = False,
    until: Step = "evaluate",
) -> Results:
    """Extract, pretrain and evaluate; continues where an earlier run of the same study stopped.

    Args:
        study: Resolved.
        folder: The run folder.
        bench: Registry, store, executor and progress.
        overwrite: Replace a finished or different run.
        until: The last step to do.

    Raises:
        StudyError: If the folder holds another study, or the study does not fit the data.
        DataError: If the data cannot be used, or a split would leak.
    """
    place = RunFolder(folder)
    dataset: Dataset = study.dataset.build(bench.registry)
    views: dict[str, View] = {n: v.build(bench.registry) for n, v in study.views.items()}
    cases = read_cases(dataset, AutoReader.installed(bench.registry, study.readers))
    for doubt in doubtful_labels(cases):
        log.warning("Look at the labels: %s. %s", doubt, ALIKE_FIX)
    with place.claimed(study, bench.registry, overwrite):
        bench.registry.tell("rdfc_run_started", folder=folder, study=study.dump())
        return _steps(study, place, dataset, views, cases, bench, until)


def _steps(
    study: ResolvedStudy,
    place: RunFolder,
    dataset: Dataset,
    views: Mapping[str, View],
    cases: Sequence[Case],
    bench: Workbench,
    until: Step,
) -> Results:
    clock = Clock()
    with clock.stage("features"):
        extraction = extract(cases, views, bench)
        features.write_parquet(place.path / "features.parquet", extraction)
        outputs.write_pictures(place.path / "pictures.parquet", extraction)
    splits = _splits(study, dataset, extraction, until)
    before = place.recorded_cases()
    place.record_cases(cases, extraction.fingerprints, extraction.failures, splits)
    if before == place.recorded_cases() and (finished := _finished(place, until)) is not None:
        bench.progress.say("This run is finished already: nothing to do.")
        return finished
    found: dict[linear.Entry, list[Prediction]] = defaultdict(list)
    explained = Explained()
    vectors: list[outputs.Embedded] = []
    trained = list(views)
    if until != "extract":
        model, rivals, taught = None, {}, None
        for split in splits:
            if model is None or split.pretext != taught:  # folds may share their pretext cases
                with clock.stage("pretrain"):
                    fit(study, views, extraction, split, bench)
                    model = pretrained(study, views, extraction, split, place, bench)
                    for name, rival in study.rivals().items():
                        own = replace(split, name=f"{split.name}.{name}")
                        title = f"Pretraining {name}"
                        rivals[name] = pretrained(
                            rival, views, extraction, own, place, bench, title
                        )
                model.classes, taught = dataset.classes, split.pretext
                trained = list(model.pretext.encoders())  # a pretext may leave views out
            vectors += outputs.embedded(model, extraction, split)
            if until == "evaluate":
                with clock.stage("evaluate"):
                    about = (extraction, split, place, bench)
                    judged = evaluate(study, model, rivals, *about, explained)
                for entry, prediction in judged:
                    found[entry].append(prediction)
            model.save(place.model(split.name))
        outputs.write_embeddings(place.path / "embeddings.parquet", vectors)
    if until == "evaluate":
        outputs.write_predictions(place.path / "predictions.parquet", found, dataset.classes)
        outputs.write_attention(place.path / "attention.parquet", explained.looked)
    with clock.stage("evaluate"):
        published = dataset.published()
        rows = summary.rows(study, found, published.rows if published else ())
        comparisons = summary.comparisons(study, found)
        importance = summary.importance(study, explained.families)
    results = Results(
        rows=tuple(rows),
        comparisons=tuple(comparisons),
        importance=tuple(importance),
        dataset=summary.describe(study, dataset, cases, splits),
        failed=tuple(asdict(failure) for failure in extraction.failures),
        missing=tuple(summary.missing(extraction)),
        warnings=tuple(summary.warnings(study, extraction)),
        run={
            "seconds": clock.seconds,
            "seed": study.seed,
            "machine": machine(),
            "started": clock.started,
            "method": judging.method_name(study),
            "main": linear.main_variant(study.evaluate, trained),
            "no_attention": explained.why_not,
            "step": until,
        },
    )
    results.write(place.results)
    bench.registry.tell("rdfc_run_finished", folder=place.path, results=results.model_dump())
    return results


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
) -> Model:
    """The model of a split: its pretext is trained on the split's pretext cases alone.

    Args:
        study: Names the pretext.
        views: View name → the view, fitted on these cases.
        extraction: All cases.
        split: Names the pretext cases, and the checkpoint.
        place: Where checkpoints and metrics go.
        bench: Registry, progress and processes.
        title: What the progress is called.
    """
    pretext_cases = {name: extraction.of(name, split.pretext) for name in views}
    model = models.fresh(study, bench.registry, views, len(split.pretext), study.seed)

    def epoch_ended(metrics: Mapping[str, float]) -> None:
        bench.registry.tell(
            "rdfc_epoch_ended", folder=place.path, split=split.name, metrics=metrics
        )

    collated, where = residence.collated(views, pretext_cases, study.pretrain, place.path)
    pretrain.fit(
        Task(
            model.pretext,
            views,
            collated,
            study.pretrain.model_copy(update={"cases_in": where}),
            study.seed,
        ),
        Place(place.path, split.name),
        bench.progress,
        epoch_ended,
        title,
        bench.team,
    )
    return model


def evaluate(
    study: ResolvedStudy,
    model: Model,
    rivals: Mapping[str, Model],
    extraction: Extraction,
    split: Split,
    place: RunFolder,
    bench: Workbench,
    explained: Explained,
) -> judging.Judged:
    """The tables of a split, and the controls; sets the model's classifier.

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
    found += supervised.judge(judging.arena(*about), Stages(place.trials), bench.progress)
    explained.add(test, model, outputs, extraction)
    return found


def _finished(place: RunFolder, until: Step) -> Results | None:
    """The results, if an earlier run went as far as this one wants to."""
    if not place.results.exists():
        return None
    results = Results.read(place.results)
    return results if reaches(results.run["step"], until) else None


def _splits(
    study: ResolvedStudy, dataset: Dataset, extraction: Extraction, until: Step
) -> list[Split]:
    spec = study.split_spec(dataset.protocol())
    labels = {case.label for case in extraction.cases} - {None}
    if until != "evaluate" and len(labels) < 2:
        everything = tuple(case.case_id for case in extraction.cases)
        return [Split("all", everything, (), ())]
    return make_splits(extraction.cases, spec, study.seed, extraction.fingerprints)
