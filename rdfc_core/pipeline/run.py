"""A study from its data to its results: `run` reads as a paper's method section."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path

from rdfc_core.case import Case
from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.data import findings
from rdfc_core.data.accounting import Use, account, in_one_line
from rdfc_core.data.case_definition import CaseDefinition
from rdfc_core.data.grey_scales import GreyScale
from rdfc_core.data.split_findings import UNTESTED, split_findings
from rdfc_core.data.splits import Split
from rdfc_core.data.targets import TARGETS
from rdfc_core.evaluation import linear_probe
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.evaluated_model import method_name
from rdfc_core.evaluation.explanations import Explanations
from rdfc_core.evaluation.judged_safeguards import GuardedTest
from rdfc_core.evaluation.patients import in_units
from rdfc_core.evaluation.query_simulation import Bought
from rdfc_core.evaluation.study_metrics import OwnMetrics, own_metrics
from rdfc_core.extraction.extract import Extraction
from rdfc_core.extraction.features_table import write_parquet
from rdfc_core.extraction.needs import preparers_of, require_needs
from rdfc_core.interfaces import Dataset, View
from rdfc_core.pipeline import per_split, precision, run_facts, summary, view_fitting
from rdfc_core.pipeline.case_list import study_cases
from rdfc_core.pipeline.case_record import case_rows, without_reasons
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.dry_run import try_on_few
from rdfc_core.pipeline.embedding_signs import Signs
from rdfc_core.pipeline.embeddings_table import Embedded, embedded, write_embeddings
from rdfc_core.pipeline.evaluation_record import record_evaluation
from rdfc_core.pipeline.extraction import extract
from rdfc_core.pipeline.finished import FINISHED, results_as_far
from rdfc_core.pipeline.per_split import SplitRun
from rdfc_core.pipeline.picture_tables import write_attention, write_pictures
from rdfc_core.pipeline.predictions_table import write_predictions
from rdfc_core.pipeline.query_curves import bought_labels
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.pipeline.run_inputs import inputs_of
from rdfc_core.pipeline.stable_features import StableFeatures, record_stability
from rdfc_core.pipeline.steps import Step
from rdfc_core.pipeline.study_splits import splits_of
from rdfc_core.pipeline.unconverged import ConvergenceRecord
from rdfc_core.pipeline.versions import machine
from rdfc_core.results import files
from rdfc_core.results.schema import Results, Selection
from rdfc_core.training import kept_states
from rdfc_core.utils.free_memory import collecting_new_objects_alone, release_free_memory
from rdfc_core.utils.progress import Clock
from rdfc_core.utils.sizes import size_of
from rdfc_core.utils.warning_capture import captured_warnings

log = logging.getLogger("rdfc")


def run(
    study: ResolvedStudy,
    folder: Path,
    context: RunContext,
    overwrite: bool = False,
    until: Step = "evaluate",
    known: Mapping[str, str] | None = None,
    told: Sequence[str] = (),
) -> Results:
    """Extract, pretrain and evaluate; continues where an earlier run of the same study stopped.

    Args:
        study: Resolved.
        folder: The run folder.
        context: Registry, store, executor and progress.
        overwrite: Replace a finished or different run.
        until: The last step to do.
        known: Case id → fingerprint that the same command has taken already.
        told: What the same command has warned of already; the results hold it, too.

    Raises:
        StudyError: If the folder holds another study, or the study does not fit the data.
        DataError: If the data cannot be used, or a split would leak.
    """
    place, taken = RunFolder(folder), dict(known or {})
    with captured_warnings() as heard, collecting_new_objects_alone():
        heard += told
        dataset: Dataset = study.build_dataset(context.registry)
        views: dict[str, View] = {n: v.build(context.registry) for n, v in study.views.items()}
        kept, volumes = context.store.path.parent, precision.encodes_volumes(views)
        asked, study = study, precision.settled(study, place, overwrite, volumes, kept)
        if until != "extract":
            precision.refuse_unfit(study, volumes, kept)
        with context.progress.waiting("Listing the data set's cases"):
            cases = study_cases(study, dataset, context.registry)
        doubts = TARGETS[study.task].findings(cases, dataset.classes)
        findings.warn(findings.listing_findings(dataset, cases, doubts))
        splits_of(study, dataset, cases, until)  # a refusal comes before anything is measured
        classes = TARGETS[study.task].classes(cases, dataset.classes)
        if until == "evaluate":
            summary.refuse_unfit(study, context.registry, classes)
        preparers = preparers_of(views)
        require_needs(cases, preparers)
        inputs = inputs_of(study, dataset, preparers, cases)
        claimed = place.claimed(study, context.registry, overwrite, inputs)
        with claimed as new, context.loggers.ending(finished=False):
            if not place.learnt:
                with context.progress.waiting("Trying the study on its first two cases"):
                    try_on_few(study, cases, context, until, taken, len(classes))
            context.tell_begun(place.path, study, until, resumed=not new)
            if asked.pretrain.precision == "auto" and until != "extract":
                log.info("Networks are trained in %s.", study.pretrain.precision)
            return _Run(study, place, dataset, views, context, until, heard).go(cases, taken)


class _Run:
    """A study under way: what it works with, and what its splits have given so far."""

    def __init__(
        self,
        study: ResolvedStudy,
        place: RunFolder,
        dataset: Dataset,
        views: Mapping[str, View],
        context: RunContext,
        until: Step,
        heard: list[str],
    ) -> None:
        self.study, self.place, self.dataset, self.views = study, place, dataset, views
        self.context, self.until, self.heard = context, until, heard
        self.targets, self.clock, self.explained = TARGETS[study.task], Clock(), Explanations()
        self.found: dict[linear_probe.Variant, list[Prediction]] = defaultdict(list)
        self.queried: dict[Bought, list[Prediction]] = defaultdict(list)
        self.selections: list[Selection] = []
        self.signs: dict[str, Signs] = {}
        self.guarded: list[GuardedTest] = []
        self.vectors: list[Embedded] = []
        self.trained, self.convergence = list(views), ConvergenceRecord()
        self.metrics: OwnMetrics = {}
        self.stable: list[StableFeatures] = []

    def go(self, cases: Sequence[Case], known: MutableMapping[str, str]) -> Results:
        """All steps, from the cases to the results."""
        with self.clock.stage("features"):
            extraction = extract(cases, self.views, self.context, known)
            write_parquet(self.place.path / files.FEATURES, extraction)
            write_pictures(self.place.path / files.PICTURES, extraction)
        release_free_memory()
        self._look(extraction)
        splits = self._split(extraction)
        spec = self.study.split_spec(self.dataset.protocol())
        prints = extraction.fingerprints
        rows = case_rows(cases, prints, spec, splits, extraction.failures, self.images)
        before = self.place.case_rows()
        self.place.record_cases(rows, splits)
        if without_reasons(before) == without_reasons(rows):
            results = results_as_far(self.place, self.until)
            if results is not None:
                self.context.progress.say(FINISHED)
                return results
        failed = {failure.case_id for failure in extraction.failures}
        uses = account(cases, splits, spec, self.dataset.classes, failed, self.targets)
        if self.until != "extract":
            self.context.progress.say(in_one_line(uses))
            self._learn(extraction, splits)
        self._write()
        kept_states.shrink(self.place.path)
        results = self._results(cases, extraction, splits, uses)
        results.write(self.place.results)
        record_evaluation(self.place.path, splits, prints, self.found)
        self.context.tell_finished(self.place.path, results)
        return results

    def _look(self, extraction: Extraction) -> None:
        """Warn of what the files say, and of what labels come to without the cases that failed."""
        self.seen = seen = findings.seen_in(extraction.prepared)
        self.images = {case_id: one.image for case_id, one in seen.items()}
        told = findings.case_findings(extraction.cases, seen, views=preparers_of(self.views))
        findings.warn([*told, *findings.remark_findings(extraction.remarks)])
        if extraction.failures:
            findings.warn(self.targets.findings(extraction.cases, self.dataset.classes), self.heard)
        self.classes = self.targets.classes(extraction.cases, self.dataset.classes)
        if self.until == "evaluate":
            self.metrics = own_metrics(self.study, self.context.registry, self.classes)
        scale = GreyScale.of(seen[case.case_id] for case in extraction.cases)
        self.definition = CaseDefinition.of(extraction.cases, scale)

    def _split(self, extraction: Extraction) -> list[Split]:
        prints, images = extraction.fingerprints, self.images
        splits = splits_of(self.study, self.dataset, extraction.cases, self.until, prints, images)
        spec = self.study.split_spec(self.dataset.protocol())
        findings.warn(split_findings(splits, spec, len(self.classes)), self.heard)
        if self.until == "pretrain" and not splits[0].test and self.targets.enough(self.classes):
            findings.warn([UNTESTED])
        return splits

    def _learn(self, extraction: Extraction, splits: Sequence[Split]) -> None:
        """Train and judge, split by split; folds that share their pretext cases share a model."""
        precision.warn_if_slow(self.study)
        model, others, taught = None, {}, None
        self.convergence = ConvergenceRecord.of(splits)
        view_fitting.require_fit(splits, self.views, extraction)
        for split in splits:
            part = SplitRun(self.study, self.views, extraction, split, self.place, self.context)
            if model is None or split.pretext != taught:
                with self.clock.stage("pretrain"):
                    kept, fitted = part.fit()
                    self.stable += kept
                    model, told = per_split.pretrained(part)
                    model.learnt_from = {**fitted, **model.learnt_from}
                    compared = per_split.compared(part, told)
                release_free_memory()
                others = {name: other for name, (other, _) in compared.items()}
                self.convergence.add("", split.name, told)
                for name, (_, other_told) in compared.items():
                    if other_told is not None:
                        self.convergence.add(name, split.name, other_told)
                taught = split.pretext
                model.classes = self.targets.named(self.classes, self.dataset.classes)
                self.trained = list(model.pretext.encoders())  # a pretext may leave views out
            else:
                view_fitting.adapt(split, self.views, extraction)
            self.vectors += embedded(model, extraction, split)
            if self.until == "evaluate":
                with self.clock.stage("evaluate"):
                    judged = per_split.evaluate(part, model, others, self.explained)
                self.selections += judged.selections
                self.signs[split.name] = judged.embeddings
                self.guarded.append(judged.guarded)
                for variant, prediction in judged.entries:
                    self.found[variant].append(prediction)
                for bought, prediction in judged.queries:
                    self.queried[bought].append(prediction)
                release_free_memory()
            per_split.remember(part, model, self.definition)
            model.save(self.place.model(split.name))

    def _write(self) -> None:
        folder = self.place.path
        if self.until != "extract":
            write_embeddings(folder / files.EMBEDDINGS, self.vectors)
        if self.until == "evaluate":
            write_predictions(folder / files.PREDICTIONS, self.found, self.classes, self.study.task)
            write_attention(folder / files.ATTENTION, self.explained.attention_maps)

    def _results(
        self,
        cases: Sequence[Case],
        extraction: Extraction,
        splits: Sequence[Split],
        uses: Sequence[Use],
    ) -> Results:
        study, published, seen = self.study, self.dataset.published(), self.seen
        tested = splits if self.until == "evaluate" else ()
        with self.clock.stage("evaluate"):
            found = in_units(study.evaluate, self.found)
            scored = summary.scored(study, found, self.metrics, published.rows if published else ())
            needed = summary.needed(study, found)
            importance = summary.importance(study, self.explained.families)
            method = method_name(study)
            main = linear_probe.main_variant(study.evaluate, self.trained)
            headline = summary.headline(study, found, method, main, self.dataset.illustration)
        classes = self.targets.named(self.classes, self.dataset.classes)
        for sentence in (
            *self.convergence.warnings(),
            *run_facts.by_default(self.selections, study.task),
            *run_facts.warnings(study, extraction, tested, classes),
        ):
            log.warning("%s", sentence)
        return Results(
            task=study.task,
            rows=scored.rows,
            metrics=scored.metrics,
            comparisons=scored.comparisons,
            labels_needed=tuple(needed),
            queries=bought_labels(study, self.queried),
            importance=tuple(importance),
            selections=tuple(self.selections),
            headline=headline,
            safeguards=summary.safeguards(study, self.guarded, self.classes),
            dataset=run_facts.describe(study, self.dataset, cases, splits, classes, uses, seen),
            **run_facts.left_out(extraction),
            warnings=tuple(self.heard),
            run={
                "seconds": self.clock.seconds,
                "seed": study.seed,
                "machine": machine(),
                "started": self.clock.started,
                "method": method,
                "main": main,
                "no_attention": self.explained.why_not,
                "step": self.until,
                "bytes": size_of(self.place.path),
                "embeddings": run_facts.embeddings(self.signs),
                "convergence": self.convergence.facts(),
                "stable": record_stability(self.place.path / files.STABILITY, self.stable),
            },
        )
