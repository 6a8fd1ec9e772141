"""What a study does in one split: fit the views, train the pretexts, judge what they learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.data.case_definition import CaseDefinition
from rdfc_core.data.splits import Split
from rdfc_core.evaluation import baselines, linear_probe, model_selection, supervised
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.evaluated_model import EvaluatedModel, method_name
from rdfc_core.evaluation.evaluators import StudyEvaluators
from rdfc_core.evaluation.explanations import Explanations
from rdfc_core.evaluation.judged_safeguards import GuardedTest
from rdfc_core.evaluation.query_simulation import Bought
from rdfc_core.evaluation.supervised_setup import SupervisedSetup
from rdfc_core.evaluation.trial_runner import TrialRunner
from rdfc_core.evaluation.trial_store import TrialStore
from rdfc_core.extraction.extract import Extraction
from rdfc_core.extraction.local_executor import worker_limit
from rdfc_core.interfaces import View
from rdfc_core.models.made_by import probe
from rdfc_core.models.model import Model
from rdfc_core.models.model import fresh as fresh_model
from rdfc_core.pipeline import view_fitting
from rdfc_core.pipeline.compared_networks import built, compared_networks
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.embedding_signs import Signs, signs_of
from rdfc_core.pipeline.extraction import axes
from rdfc_core.pipeline.guarding import by_classifier, guard_model
from rdfc_core.pipeline.query_curves import queried
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.pipeline.stable_features import StableFeatures, keep_stable
from rdfc_core.results.case_set import LABELS, NETWORK, STOPPING, CaseSet
from rdfc_core.results.schema import Selection
from rdfc_core.training import placement, pretrain
from rdfc_core.training.convergence import Convergence
from rdfc_core.training.false_pairs import false_pairs
from rdfc_core.training.held_back import hold_back
from rdfc_core.training.metrics_log import PretrainPaths
from rdfc_core.training.state import Task

LOOKED_AT = 100
"""Test cases at most, so that how many find their partner means the same in every split."""


@dataclass(frozen=True)
class SplitRun:
    """One split of a run at work.

    Args:
        study: Resolved.
        views: View name → the view; `fit` fits it on the split's pretext cases.
        extraction: All cases.
        split: Which of them pretrain, train and test.
        folder: Keeps checkpoints, metrics, and what each method said.
        context: Registry, progress and processes.
    """

    study: ResolvedStudy
    views: Mapping[str, View]
    extraction: Extraction
    split: Split
    folder: RunFolder
    context: RunContext

    def fit(self) -> tuple[list[StableFeatures], dict[str, CaseSet]]:
        """Fit the views on the split's pretext cases; refuse what could not be trained on them.

        Returns:
            What views keep that keep stable features alone; and which cases each was fitted on.

        Raises:
            StudyError: If a pretext, or a method that the study names, does not fit the views.
        """
        kept = keep_stable(self.views, self.extraction, self.split, self.study.seed, self.context)
        fitted = view_fitting.fit(self.split, self.views, self.extraction)
        supervised.check(self.study.evaluate, self.views)
        StudyEvaluators.of(self.study, self.context.registry).check(self.views, self.study.task)
        built(self.study, self.views, len(self.split.pretext), self.context.registry)
        return kept, fitted

    def case_set(self, case_ids: Sequence[str]) -> CaseSet:
        """Which cases these are."""
        return CaseSet.of(case_ids, self.extraction.fingerprints)

    def evaluated(self, model: Model) -> EvaluatedModel:
        """A model on the split's labelled cases."""
        return EvaluatedModel.of(
            self.study, model, self.split, self.extraction, self.context.registry
        )

    def trial_runner(self, setup: SupervisedSetup) -> TrialRunner:
        """Runs the methods that labels train."""
        store, context = TrialStore(self.folder.trials), self.context
        return TrialRunner(setup, store, context.progress, processes=worker_limit(context.executor))


@dataclass(frozen=True)
class SplitEvaluation:
    """What the methods of a split said of its test part, and which of them were chosen.

    Args:
        entries: Each method's predictions.
        selections: What was chosen, a share and draw of the labels each.
        embeddings: Pretext → how its embeddings of test cases lie, of `LOOKED_AT` cases at most.
        guarded: The test part by the model that is saved, with what guards its predictions.
        queries: What probes say on labels that query strategies bought.
    """

    entries: baselines.VariantPredictions
    selections: list[Selection]
    embeddings: Signs
    guarded: GuardedTest
    queries: list[tuple[Bought, Prediction]]


def pretrained(
    run: SplitRun, title: str = "Pretraining", shuffled: bool = False
) -> tuple[Model, Convergence]:
    """The model of a split: its pretext is trained on the split's pretext cases alone.

    Some of them may be held back, to tell when it has learnt.

    Args:
        run: Names the pretext, its cases and the checkpoint; the views are fitted.
        title: What the progress is called.
        shuffled: Show views of different cases together.

    Returns:
        The model, and how far it came.
    """
    study, views, extraction, split = run.study, run.views, run.extraction, run.split
    patients = {case.case_id: case.patient_id for case in extraction.cases}
    taught, held_back = hold_back(split.pretext, patients, study.pretrain.held_back, study.seed)

    def shown(case_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        if not shuffled:
            return dict.fromkeys(views, case_ids)
        return false_pairs(case_ids, patients, list(views), study.seed)

    pretext_cases = {name: extraction.of(name, ids) for name, ids in shown(taught).items()}
    model = fresh_model(study, run.context.registry, views, len(taught), study.seed)

    def epoch_ended(metrics: Mapping[str, float]) -> str | None:
        return run.context.registry.tell(
            "rdfc_epoch_ended", folder=run.folder.path, split=split.name, metrics=metrics
        )

    collated, where = placement.collated(views, pretext_cases, study.pretrain, run.folder.path)
    convergence = pretrain.fit(
        Task(
            model.pretext,
            views,
            collated,
            study.pretrain.model_copy(update={"data_placement": where}),
            study.seed,
            {n: views[n].collate(extraction.of(n, ids)) for n, ids in shown(held_back).items()}
            if held_back
            else {},
        ),
        PretrainPaths(run.folder.path, split.name),
        run.context.progress,
        epoch_ended,
        title,
        run.context.team,
        run.context.loggers,
    )
    model.learnt_from = {NETWORK: run.case_set(taught), STOPPING: run.case_set(held_back)}
    return model, convergence


def compared(run: SplitRun, own: Convergence) -> dict[str, tuple[Model, Convergence | None]]:
    """Name → the model of each network that is judged beside the study's own, as `pretrained`.

    Args:
        run: Says which; the checkpoint is called after the split and the network.
        own: How far the study's own pretext came.

    Returns:
        The models, and how far they came; None for a network that is judged as it begins, and for
        shuffled pairs: they take the steps of the study's own pretext, however far they come.
    """
    found: dict[str, tuple[Model, Convergence | None]] = {}
    registry, split = run.context.registry, run.split
    for network in compared_networks(run.study):
        views = network.views(run.views, registry)
        if not network.trained:
            model = fresh_model(network.study, registry, views, len(split.pretext), run.study.seed)
            model.calibrate({name: run.extraction.of(name, split.pretext) for name in views})
            found[network.name] = model, None
            continue
        beside = replace(
            run,
            study=replace(network.study, pretrain=network.settings(own)),
            views=views,
            split=replace(split, name=f"{split.name}.{network.name}"),
        )
        model, came = pretrained(beside, f"Pretraining {network.name}", network.shuffled)
        found[network.name] = model, None if network.shuffled else came
    return found


def evaluate(
    run: SplitRun, model: Model, others: Mapping[str, Model], explanations: Explanations
) -> SplitEvaluation:
    """The tables of a split, and the controls; sets the model's classifier, and what is chosen.

    Args:
        run: Says which.
        model: Of the study's pretext.
        others: Name → the model of a network that is judged beside it, as `compared` gives them.
        explanations: Is told why methods say so.
    """
    own = run.evaluated(model)
    found = probed(run, own)
    prepared = own.prepared
    outputs = {name: other.outputs(prepared) for name, other in others.items()}
    for name, shown in outputs.items():
        found += linear_probe.judge_compared(own.data, shown, name)
    found += baselines.controls(own)
    runner = run.trial_runner(baselines.setup(own))
    found += supervised.judge(runner)
    chosen_models: list[Selection] = []
    model.selection, model.members = None, {}
    guarded = None
    for chosen, entries in model_selection.judge(runner):
        if not chosen_models:  # the first is of all labels
            model.take_members(chosen.selection, chosen.weights(runner), run.study)
            guarded = guard_model(runner, own, chosen.held_back, entries[0][1])
        chosen_models.append(chosen.selection)
        found += entries
    guarded = guarded or guard_model(runner, own, None, by_classifier(own))
    for network in (
        compared_networks(run.study) if run.study.evaluate.compared == "finetune" else ()
    ):
        other = replace(
            own, study=network.study, model=others[network.name], outputs=outputs[network.name]
        )
        setup = replace(baselines.setup(other), pretext=network.name, compared=True)
        found += supervised.judge(run.trial_runner(setup))
    explanations.add(own)
    methods = {method_name(run.study): own.outputs, **outputs}
    train, test = len(run.split.train), len(run.split.test)
    tested = range(train, train + test)[:LOOKED_AT]
    return SplitEvaluation(
        found,
        chosen_models,
        {n: signs_of(one, tested) for n, one in methods.items()},
        guarded,
        queried(own, run.context.progress),
    )


def probed(run: SplitRun, own: EvaluatedModel) -> baselines.VariantPredictions:
    """Linear evaluation of the study's own pretext; sets the model's classifier."""
    own.model.learnt_from = {**own.model.learnt_from, LABELS: run.case_set(own.taught)}
    found, own.model.classifier = linear_probe.judge_learnt(
        own.data, own.outputs, method_name(run.study)
    )
    return found


def remember(run: SplitRun, model: Model, cases: CaseDefinition) -> None:
    """Save with a model what its cases are, and what it was made by.

    Args:
        run: Names its components, and has the cases.
        model: Trained.
        cases: What they are.
    """
    model.cases = cases
    ndim = axes(run.extraction)
    model.remember(probe(model, run.study, run.context.registry, ndim))
