"""Extraction: every view of every case, made once, stored, and never made again.

One job reads one case and prepares all views of it that the store does not hold yet.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rdfc_core.case import Case
from rdfc_core.errors import DataError, RdfcError
from rdfc_core.faults import UnexpectedError, explain
from rdfc_core.interfaces import Executor, Prepared, Preparer
from rdfc_core.local_executor import usable_cores
from rdfc_core.progress import Progress
from rdfc_core.store import Store, key_of, recipe_id

log = logging.getLogger("rdfc")


WORTH_SHOWING = 100
"""Cases; to look at the files of fewer takes no time."""


@dataclass(frozen=True)
class Failure:
    """A case that could not be prepared.

    Args:
        case_id: The case.
        reason: One sentence.
        fixable: True if the user can mend it (a bad file), False if our code or a worker failed.
    """

    case_id: str
    reason: str
    fixable: bool


@dataclass(frozen=True)
class Extraction:
    """All views of all cases that could be prepared.

    Args:
        cases: The cases without a failure, in the data set's order.
        prepared: View name → case id → what the view made of it.
        failures: The other cases, with reasons.
        fingerprints: Case id → fingerprint of its content.
        made: How many cases had to be worked on; the rest came from the store.
    """

    cases: Sequence[Case]
    prepared: Mapping[str, Mapping[str, Prepared]]
    failures: Sequence[Failure] = ()
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    made: int = 0

    def of(self, view: str, case_ids: Sequence[str]) -> list[Prepared]:
        """One view of the given cases, in their order."""
        return [self.prepared[view][case_id] for case_id in case_ids]


@dataclass(frozen=True)
class _Job:
    case: Case
    views: tuple[str, ...]


def extract(
    cases: Sequence[Case],
    views: Mapping[str, Preparer],
    store: Store,
    executor: Executor,
    progress: Progress | None = None,
) -> Extraction:
    """Every view of every case, from the store where it is known, otherwise made and stored.

    A case that fails is reported and the rest continue.

    Raises:
        DataError: If the store cannot be used.
    """
    progress = progress or Progress()
    prints, failures = _fingerprints(cases, progress)
    recipes = {name: view.recipe() for name, view in views.items()}
    ids = {name: recipe_id(recipe) for name, recipe in recipes.items()}
    keys = {
        (case_id, name): key_of(fingerprint, ids[name])
        for case_id, fingerprint in prints.items()
        for name in views
    }
    known = store.known(list(keys.values()))
    jobs = []
    for case in cases:
        missing = tuple(v for v in views if keys.get((case.case_id, v), "") not in known)
        if case.case_id in prints and missing:
            jobs.append(_Job(case, missing))
    with progress.task("Extracting features", len(prints)) as advance:
        advance(len(prints) - len(jobs))
        for outcome in executor.run(functools.partial(_prepare, views=dict(views)), jobs):
            case_id = jobs[outcome.job].case.case_id
            if outcome.error is not None:
                failures[case_id] = _failure(case_id, outcome.error)
            else:
                store.put_all(
                    (keys[case_id, name], recipes[name], prepared)
                    for name, prepared in outcome.value.items()
                )
            advance(1, note=f"{len(failures)} failed" if failures else "")
    good = [case for case in cases if case.case_id not in failures]
    return Extraction(
        cases=good,
        prepared={
            name: {case.case_id: store.get(keys[case.case_id, name]) for case in good}
            for name in views
        },
        failures=[failures[case.case_id] for case in cases if case.case_id in failures],
        fingerprints={case.case_id: prints[case.case_id] for case in good},
        made=len(jobs),
    )


def _prepare(job: _Job, views: Mapping[str, Preparer]) -> dict[str, Prepared]:
    """Runs in a worker: read one case and make the views of it that are wanted."""
    try:
        tumour = job.case.load()
        made = {}
        for name in job.views:
            try:
                made[name] = views[name].prepare(tumour)
            except RdfcError as error:
                raise type(error)(f"Case {job.case.case_id}: {error}") from error
    except RdfcError:
        raise
    except Exception as error:  # here, where the traceback still tells whose code it was
        raise UnexpectedError(explain(error)) from error
    return made


def _failure(case_id: str, error: Exception) -> Failure:
    fixable = isinstance(error, RdfcError)
    reason = str(error) if fixable else f"Case {case_id}: {explain(error)}"
    if not fixable:
        log.debug("Case %s failed", case_id, exc_info=error)
    return Failure(case_id, reason, fixable)


def _fingerprints(
    cases: Sequence[Case], progress: Progress
) -> tuple[dict[str, str], dict[str, Failure]]:
    def fingerprint(case: Case) -> str | Failure:
        try:
            return case.fingerprint()
        except DataError as error:
            return Failure(case.case_id, str(error), fixable=True)

    prints: dict[str, str] = {}
    failures: dict[str, Failure] = {}
    shown = progress if len(cases) >= WORTH_SHOWING else Progress()
    # Threads: hashing and reading both leave the interpreter's lock.
    with (
        shown.task("Looking for changed files", len(cases)) as advance,
        ThreadPoolExecutor(usable_cores()) as pool,
    ):
        for case, found in zip(cases, pool.map(fingerprint, cases), strict=True):
            if isinstance(found, Failure):
                failures[case.case_id] = found
            else:
                prints[case.case_id] = found
            advance(1)
    return prints, failures


def write_parquet(path: Path, extraction: Extraction) -> None:
    """All feature vectors as a table: a row a case, a column a feature; missing ones are null."""
    import pyarrow as pa
    from pyarrow import parquet

    columns: dict[str, Any] = {
        "case_id": [case.case_id for case in extraction.cases],
        "patient_id": [case.patient_id for case in extraction.cases],
        "label": [case.label for case in extraction.cases],
    }
    for view, prepared in extraction.prepared.items():
        vectors = [prepared[case.case_id] for case in extraction.cases]
        names = vectors[0].names if vectors else ()
        if not names:
            continue
        table = np.stack([one.array for one in vectors])
        for place, name in enumerate(names):
            columns[f"{view}.{name}"] = pa.array(table[:, place], from_pandas=True)
    partial = path.with_name(f"partial-{path.name}")
    parquet.write_table(pa.table(columns), partial)
    partial.replace(path)
