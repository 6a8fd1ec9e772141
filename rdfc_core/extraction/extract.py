"""Extraction: every view of every case, made once, stored, and never made again.

One job reads one case and prepares all views of it that the store does not hold yet.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace

from rdfc_core.case import Case
from rdfc_core.errors import DataError, PluginError, RdfcError
from rdfc_core.extraction.failures import Breach, Failure
from rdfc_core.extraction.files_at_rest import loaded_at_rest
from rdfc_core.extraction.fingerprints import Files, fingerprints, view_fingerprints
from rdfc_core.extraction.needs import needs_of
from rdfc_core.extraction.outcomes import each_once
from rdfc_core.extraction.shared_mask_grid import mask_grid_of, on_mask_grid
from rdfc_core.extraction.store import Store, key_of, recipe_id
from rdfc_core.extraction.watched import checked_recipe, prepare_checked
from rdfc_core.interfaces import Executor, Prepared, Preparer
from rdfc_core.plugin.attribution import UnexpectedError, explain
from rdfc_core.utils.progress import Progress

log = logging.getLogger("rdfc")


CHANGED = (
    "its image or mask was replaced while this run was reading its cases, so what was measured is "
    "not kept. Run the same command again once the files are at rest."
)

STARTING = "(workers start; what measures features may be compiled first, once on a machine)"


@dataclass(frozen=True)
class Extraction:
    """All views of all cases that could be prepared.

    Args:
        cases: The cases without a failure, in the data set's order.
        prepared: View name → case id → what the view made of it.
        failures: The other cases, with reasons.
        fingerprints: Case id → fingerprint of its content, also of cases that failed later.
        made: How many cases had to be worked on; the rest came from the store.
        fit_columns: View name → columns that it is given with what was prepared.
    """

    cases: Sequence[Case]
    prepared: Mapping[str, Mapping[str, Prepared]]
    failures: Sequence[Failure] = ()
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    made: int = 0
    fit_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def remarks(self) -> dict[str, list[str]]:
        """What views did differently for some cases → ids of these cases, in order.

        Of results that are left in the store nothing is told: they are read when they are used.
        """
        found: dict[str, dict[str, None]] = {}
        for of_cases in self.prepared.values():
            if not isinstance(of_cases, InStore):
                for case_id, one in of_cases.items():
                    for remark in one.remarks:
                        found.setdefault(remark, {})[case_id] = None
        return {remark: list(ids) for remark, ids in found.items()}

    def of(self, view: str, case_ids: Sequence[str]) -> list[Prepared]:
        """One view of the given cases, in their order, with the columns that its `fit` sees."""
        prepared = [self.prepared[view][case_id] for case_id in case_ids]
        names = self.fit_columns.get(view, ())
        if not names:
            return prepared
        return [
            replace(one, columns={name: self._columns[case_id][name] for name in names})
            for case_id, one in zip(case_ids, prepared, strict=True)
        ]

    @functools.cached_property
    def _columns(self) -> dict[str, Mapping[str, str]]:
        return {case.case_id: case.columns for case in self.cases}


@dataclass(frozen=True)
class _Job:
    case: Case
    fingerprints: Mapping[str, str]
    """View → fingerprint of what the view needs of the case."""


@dataclass(frozen=True)
class _Made:
    ndim: int | None
    """None where no image was needed."""
    views: Mapping[str, Prepared]


def extract(
    cases: Sequence[Case],
    views: Mapping[str, Preparer],
    store: Store,
    executor: Executor,
    progress: Progress | None = None,
    unfit: Mapping[int, str] | None = None,
    known: MutableMapping[str, str] | None = None,
    left_in_store: Collection[str] = (),
) -> Extraction:
    """Every view of every case, from the store where it is known, otherwise made and stored.

    A case that fails is reported and the rest continue.

    Args:
        cases: Each with a reader.
        views: View name → what makes it.
        store: Asked first, and given what is new.
        executor: Runs the work.
        progress: Told after each case.
        unfit: Number of a tumour's axes → why it is not looked at.
        known: Case id → fingerprint that was taken before, by the same command; those that are
            taken are added.
        left_in_store: Views whose results are read from the store each time they are asked for:
            those of thousands of cases would fill the memory.

    Raises:
        DataError: If the store cannot be used, or pictures and volumes are mixed.
    """
    progress = progress or Progress()
    grid, views = mask_grid_of(views), on_mask_grid(views)
    cases = [replace(case, mask_grid=grid) for case in cases] if grid is not None else cases
    files: Files = {}  # several cases may lie in one image
    prints, failures = fingerprints(cases, progress, known, files)
    of_views, unmet = view_fingerprints(cases, prints, views, files)
    failures |= unmet
    recipes = {name: checked_recipe(view) for name, view in views.items()}
    keys = keys_of(of_views, views)
    jobs = _jobs(cases, of_views, keys, store)
    with progress.task("Extracting features", len(prints)) as advance:
        advance(len(prints) - len(jobs), note=STARTING if jobs else "")
        work = functools.partial(_prepare, views=dict(views), unfit=dict(unfit or {}))
        first_of: dict[int, str] = {}
        for case_id, made in _results(executor, work, jobs):
            if isinstance(made, Failure):
                failures[case_id] = made
            else:
                if made.ndim is not None:
                    first_of.setdefault(made.ndim, case_id)
                refuse_mixture(first_of)
                store.put_all(
                    (keys[case_id, name], recipes[name], prepared)
                    for name, prepared in made.views.items()
                )
            advance(1, note=f"{len(failures)} failed" if failures else "")
    good = [case for case in cases if case.case_id not in failures]
    stored = {name: {one.case_id: keys[one.case_id, name] for one in good} for name in views}
    results = {name: InStore(store, own) for name, own in stored.items()}
    return Extraction(
        cases=good,
        prepared={
            name: one if name in left_in_store else dict(one) for name, one in results.items()
        },
        failures=[failures[case.case_id] for case in cases if case.case_id in failures],
        fingerprints=prints,
        made=len(jobs),
        fit_columns={name: needs_of(view).fit_columns for name, view in views.items()},
    )


def _results(
    executor: Executor, work: Callable[[_Job], _Made | Failure], jobs: Sequence[_Job]
) -> Iterator[tuple[str, _Made | Failure]]:
    """Case id and what became of it, as the executor finishes one after the other."""
    for outcome in each_once(executor, work, jobs):
        case_id = jobs[outcome.job].case.case_id
        yield case_id, outcome.value if outcome.error is None else _failure(case_id, outcome.error)


def _jobs(
    cases: Sequence[Case],
    prints: Mapping[tuple[str, str], str],
    keys: Mapping[tuple[str, str], str],
    store: Store,
) -> list[_Job]:
    """What the store lacks, by case; one without a fingerprint has failed already."""
    stored = store.known(list(keys.values()))
    lacking: dict[str, dict[str, str]] = {}
    for (case_id, view), key in keys.items():
        if key not in stored:
            lacking.setdefault(case_id, {})[view] = prints[case_id, view]
    return [_Job(case, lacking[case.case_id]) for case in cases if case.case_id in lacking]


@dataclass(frozen=True)
class InStore(Mapping[str, Prepared]):
    """Results by case id, each read from the store when it is asked for.

    Args:
        store: Holds them.
        stored_as: Case id → the store's key.
    """

    store: Store
    stored_as: Mapping[str, str]

    def __getitem__(self, case_id: str) -> Prepared:
        return self.store.get(self.stored_as[case_id])

    def __iter__(self) -> Iterator[str]:
        return iter(self.stored_as)

    def __len__(self) -> int:
        return len(self.stored_as)


def keys_of(
    prints: Mapping[tuple[str, str], str], views: Mapping[str, Preparer]
) -> dict[tuple[str, str], str]:
    """(Case id, view) → the key under which the store holds what the view makes of the case.

    Args:
        prints: (Case id, view) → fingerprint, as `view_fingerprints` gives it.
        views: View name → what makes it.
    """
    ids = {name: recipe_id(view.recipe()) for name, view in on_mask_grid(views).items()}
    return {pair: key_of(fingerprint, ids[pair[1]]) for pair, fingerprint in prints.items()}


def refuse_mixture(first_of: Mapping[int, str]) -> None:
    """Pictures and volumes have different features and channels.

    Args:
        first_of: Number of axes → a case that has so many.

    Raises:
        DataError: If there are cases of both kinds.
    """
    if len(first_of) > 1:
        raise DataError(
            f"Case {first_of[2]} is a picture and case {first_of[3]} a volume, and no view can "
            "hold both. Keep pictures and volumes in separate studies."
        )


def _prepare(job: _Job, views: Mapping[str, Preparer], unfit: Mapping[int, str]) -> _Made | Failure:
    """Runs in a worker: read one case and make the views of it that are wanted."""
    case_id = job.case.case_id
    try:
        needs = {name: needs_of(views[name]) for name in job.fingerprints}
        seen = loaded_at_rest(job.case, needs, job.fingerprints)
        if seen is None:
            return Failure(case_id, f"Case {case_id}: {CHANGED}", fixable=True, retry=True)
        ndim = next((seen[name].ndim for name, asked in needs.items() if asked.images != ()), None)
        if ndim is not None and ndim in unfit:
            return Failure(case_id, f"Case {case_id}: {unfit[ndim]}", fixable=True)
        made = {}
        for name, tumour in seen.items():
            try:
                made[name] = prepare_checked(name, views[name], tumour)
            except RdfcError as error:
                kind = Breach if isinstance(error, PluginError) else Failure
                return kind(case_id, f"Case {case_id}: {error}", fixable=True, view=name)
    except RdfcError:
        raise
    except Exception as error:  # here, where the traceback still tells whose code it was
        raise UnexpectedError(explain(error)) from error
    return _Made(ndim, made)


def _failure(case_id: str, error: Exception) -> Failure:
    fixable = isinstance(error, RdfcError)
    reason = str(error) if fixable else f"Case {case_id}: {explain(error)}"
    if not fixable:
        log.debug("Case %s failed", case_id, exc_info=error)
    kind = Breach if isinstance(error, PluginError) else Failure
    return kind(case_id, reason, fixable, retry=not fixable)
