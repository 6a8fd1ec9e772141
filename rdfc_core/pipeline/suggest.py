"""``rdfc suggest``: the cases to label next."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Case
from rdfc_core.config.evaluate_settings import LabelUnit
from rdfc_core.contract.query_strategies import chosen
from rdfc_core.data.cells import listed
from rdfc_core.data.targets import TARGETS
from rdfc_core.errors import DataError, StudyError
from rdfc_core.evaluation.query_pool import PoolCases
from rdfc_core.evaluation.query_simulation import taught
from rdfc_core.extraction import extract
from rdfc_core.extraction.extract import Extraction
from rdfc_core.interfaces import QueryStrategy
from rdfc_core.models.linear_model import FeatureTables
from rdfc_core.pipeline.case_list import study_cases
from rdfc_core.pipeline.case_record import CaseRow
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.predict import features
from rdfc_core.plugin.attribution import held_to_contract
from rdfc_core.results.suggestions import Suggested, Suggestions
from rdfc_core.results.vocabulary import CLASSIFICATION, FEATURES
from rdfc_core.views.thumbnail import Thumbnail

log = logging.getLogger("rdfc")


def suggest(
    run: OpenRun,
    strategy: QueryStrategy,
    called: str,
    budget: int,
    context: RunContext,
    listing: Path | None = None,
    unit: LabelUnit | None = None,
    seed: int = 0,
) -> Suggestions:
    """The cases to label next.

    Args:
        run: Opened; trained, with or without labels.
        strategy: Chooses.
        called: What the strategy is called.
        budget: How many cases, or patients.
        context: Registry, store, executor and progress.
        listing: Candidates, those of its cases that have no label; None: the run's own cases
            without one.
        unit: What the budget counts; None: ``evaluate.label_unit`` of the run.
        seed: Of what is random.

    Raises:
        StudyError: If the folder holds no trained run, or the strategy needs labels that are not
            there.
        DataError: If there is no candidate, or cases cannot be read.
    """
    if not run.models:
        raise StudyError(f"{run.place.path} holds no trained model yet. Finish it: rdfc run.")
    split, counted = next(iter(run.models)), unit or run.study.evaluate.label_unit
    if strategy.needs_model and len(run.models[split].classes) < 2:
        raise _too_few_labels(called, np.zeros(0, np.int64))
    known, candidates = _gathered(run, listing, context)
    pool = _Pool.of(run, known, candidates, counted)
    if strategy.needs_model and pool.said is None:
        raise _too_few_labels(called, pool.truth)
    if budget > len(pool.units):
        log.warning(
            "--budget %s: there are %s without a label, and all of them are listed.",
            *(budget, _counted(len(pool.units), counted)),
        )
    view = pool.cases.pool(pool.units, pool.labelled, pool.truth, pool.said)
    with held_to_contract(strategy):
        queries = chosen(strategy, view, min(budget, len(pool.units)), seed)
    extraction = candidates.extraction
    picked = [
        (rank, extraction.cases[place - len(pool.labelled)], query)
        for rank, query in enumerate(queries, start=1)
        for place in pool.units[query.place]
    ]
    pictures = _pictures([case for _, case, _ in picked], context)
    return Suggestions(
        run=run.place.path.name,
        strategy=called,
        unit=counted,
        cases=tuple(
            Suggested(
                rank,
                case.case_id,
                case.patient_id,
                query.reason,
                query.score,
                pictures.get(case.case_id, b""),
            )
            for rank, case, query in picked
        ),
        candidates=len(pool.units),
        labelled=len(pool.labelled),
        failed=tuple((one.case_id, one.reason) for one in extraction.failures),
        split=split if len(run.models) > 1 else "",
    )


@dataclass(frozen=True, eq=False)
class _Cases:
    """Some cases as the run's views see them."""

    extraction: Extraction

    def chosen(self, wanted: Sequence[bool]) -> _Cases:
        kept = [case for case, yes in zip(self.extraction.cases, wanted, strict=True) if yes]
        return _Cases(replace(self.extraction, cases=kept))

    def tables(self, run: OpenRun) -> FeatureTables:
        """View → (N, F), by the network of the run's first split."""
        model = next(iter(run.models.values()))
        ids = [case.case_id for case in self.extraction.cases]
        prepared = {name: self.extraction.of(name, ids) for name in model.views}
        found: FeatureTables = model.outputs(prepared)[FEATURES]
        return found


@dataclass(frozen=True, eq=False)
class _Pool:
    """Labelled cases, then candidates, in one table."""

    cases: PoolCases
    units: list[list[int]]
    labelled: list[int]
    truth: np.ndarray
    said: np.ndarray | None

    @classmethod
    def of(
        cls, run: OpenRun, known: Sequence[_Cases], candidates: _Cases, unit: LabelUnit
    ) -> _Pool:
        model = next(iter(run.models.values()))
        targets = TARGETS[model.task]
        parts = [*(one for one in known if one.extraction.cases), candidates]
        tables = [one.tables(run) for one in parts]
        joined = {name: np.concatenate([one[name] for one in tables]) for name in tables[0]}
        cases = [case for one in parts for case in one.extraction.cases]
        count = len(cases) - len(candidates.extraction.cases)
        truth, said = np.zeros(count, np.int64), None  # of numbers, which strategies do not look at
        if model.task == CLASSIFICATION and count:
            truth = targets.encoded(cases[:count], model.classes).astype(np.int64)
            if len(np.unique(truth)) > 1:
                rows = np.arange(count)
                evaluate, seed = run.study.evaluate, run.study.seed
                said = taught(evaluate, seed, joined, truth, rows, len(model.classes))
        pool = PoolCases.of(joined, [case.patient_id for case in cases], model.classes, unit)
        units = pool.units(range(count, len(cases)))
        return cls(pool, units, list(range(count)), truth, said)


def _gathered(
    run: OpenRun, listing: Path | None, context: RunContext
) -> tuple[list[_Cases], _Cases]:
    """The labelled cases, of the run and of the list, and the candidates."""
    model = next(iter(run.models.values()))
    counts = TARGETS[model.task].counts
    rows = {row.case_id: row for row in run.place.case_rows()}
    own = _own_cases(run, rows, listing is None, context)
    if listing is None:
        assert own is not None
        labelled = [rows[case.case_id].parts[0] == "train" for case in own.extraction.cases]
        free = own.chosen([not yes for yes in labelled])
        if not free.extraction.cases:
            raise DataError(
                "Every case of the run that its test part does not hold has a label. Name others "
                "with --manifest."
            )
        return [own.chosen(labelled)], free
    found = _Cases(features(run, run.listed_cases(listing), context))
    seen = {row.fingerprint for row in rows.values() if row.fingerprint and _labelled(row)}
    prints = found.extraction.fingerprints
    again = [c.case_id for c in found.extraction.cases if prints.get(c.case_id) in seen]
    if again:
        log.warning(
            "%s of these cases have a label in the run (%s), and are left out.",
            *(len(again), listed(again)),
        )
    new = found.chosen([case.case_id not in set(again) for case in found.extraction.cases])
    labels = [counts(case.label, model.classes) for case in new.extraction.cases]
    free = new.chosen([not yes for yes in labels])
    if not free.extraction.cases:
        raise DataError(
            f"{listing} holds no case without a label. Name a list of cases that have none yet."
        )
    return [one for one in (own, new.chosen(labels)) if one is not None], free


def _labelled(row: CaseRow) -> bool:
    return bool(set(row.parts) & {"train", "test"})


def _own_cases(
    run: OpenRun, rows: dict[str, CaseRow], free: bool, context: RunContext
) -> _Cases | None:
    """The labelled training cases of the run's first split; and those without a label, if asked.

    None where there is none of them. Test cases stay out: what is bought by looking at them could
    no longer be judged by them.
    """
    wanted = {"train", "pretext"} if free else {"train"}
    ids = {name for name, row in rows.items() if row.parts and row.parts[0] in wanted}
    if not ids:
        if not free:
            return None
        raise DataError("The run has no case that could be labelled. Name some with --manifest.")
    with context.progress.waiting("Listing the run's cases"):
        dataset = run.study.build_dataset(context.registry)
        cases = study_cases(run.study, dataset, context.registry)
    chosen_cases = [case for case in cases if case.case_id in ids]
    if len(chosen_cases) < len(ids):
        gone = sorted(ids - {case.case_id for case in chosen_cases})
        raise DataError(
            f"{len(gone)} cases of the run are no longer in its data set ({listed(gone)}). Put "
            "them back, or run its study again."
        )
    return _Cases(features(run, chosen_cases, context))


def _too_few_labels(called: str, truth: NDArray[np.int64]) -> StudyError:
    return StudyError(
        f"The strategy {called!r} asks what a model says of the cases, which takes labelled cases "
        f"of two classes, and there are {len(truth)} labelled cases of {len(np.unique(truth))}. "
        "Choose one that needs none, such as typiclust."
    )


def _pictures(cases: Sequence[Case], context: RunContext) -> dict[str, bytes]:
    found = extract.extract(
        cases, {"picture": Thumbnail()}, context.store, context.executor, context.progress
    )
    return {name: one.array.tobytes() for name, one in found.prepared["picture"].items()}


def _counted(count: int, unit: LabelUnit) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"
