"""Whether the store holds what its cases give: some of them, or all, are measured again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from rdfc_core.case import Case
from rdfc_core.errors import DataError
from rdfc_core.extraction import extract
from rdfc_core.extraction.failures import Failure
from rdfc_core.extraction.fingerprints import fingerprints, view_fingerprints
from rdfc_core.extraction.store import Store
from rdfc_core.interfaces import Executor, Prepared, Preparer
from rdfc_core.utils.progress import Progress

TOLERANCE = {"float64": 1e-6, "float32": 1e-4, "float16": 2e-3}
"""Relative, by number format: other processors round otherwise."""


@dataclass(frozen=True)
class Unlike:
    """A stored result that is not what the case gives.

    Args:
        case_id: The case.
        view: The view, or ``size`` or ``picture``.
        what: How it differs.
    """

    case_id: str
    view: str
    what: str


@dataclass(frozen=True)
class StoreCheck:
    """What a check found.

    Args:
        stored: Cases that have anything in the store.
        checked: Those of them that were measured again.
        unlike: What differed, and was removed.
        failures: Cases that could not be measured again.
    """

    stored: int
    checked: int
    unlike: Sequence[Unlike]
    failures: Sequence[Failure]


def check_store(
    cases: Sequence[Case],
    preparers: Mapping[str, Preparer],
    store: Store,
    executor: Executor,
    sample: int | None,
    progress: Progress | None = None,
    seed: int = 0,
) -> StoreCheck:
    """Measure stored cases again, and remove from the store what differs.

    Args:
        cases: Of a study, each with a reader.
        preparers: What a run of the study prepares, by name.
        store: Is checked.
        executor: Runs the work.
        sample: So many cases, drawn at random; None: all.
        progress: Told after each case.
        seed: Of the draw.

    Raises:
        DataError: If the store cannot be used.
    """
    progress = progress or Progress()
    prints, _ = fingerprints(cases, progress)
    keys = extract.keys_of(view_fingerprints(cases, prints, preparers)[0], preparers)
    known = store.known(list(keys.values()))
    stored = [c for c in cases if any(keys.get((c.case_id, v)) in known for v in preparers)]
    drawn = stored
    if sample is not None and sample < len(stored):
        places = np.random.default_rng(seed).choice(len(stored), sample, replace=False)
        drawn = [stored[place] for place in sorted(places)]
    with TemporaryDirectory() as folder:
        fresh = Store(Path(folder) / "store.sqlite")
        try:
            again = extract.extract(drawn, preparers, fresh, executor, progress, known=prints)
        finally:
            fresh.close()
    unlike = [
        Unlike(case.case_id, view, what)
        for case in again.cases
        for view in preparers
        if keys[case.case_id, view] in known
        and (what := _difference(store, keys[case.case_id, view], again.prepared[view], case))
    ]
    store.remove([keys[one.case_id, one.view] for one in unlike])
    return StoreCheck(len(stored), len(drawn), unlike, again.failures)


def _difference(store: Store, key: str, again: Mapping[str, Prepared], case: Case) -> str:
    try:
        return difference(store.get(key), again[case.case_id])
    except (DataError, KeyError) as error:  # what is stored is no array any more
        return f"it cannot be read ({error})"


def difference(stored: Prepared, again: Prepared) -> str:
    """How two results differ, in words; "" where they are the same but for rounding."""
    if stored.names != again.names:
        return f"{len(stored.names)} features are stored, and there are {len(again.names)}"
    one, other = stored.array, again.array
    if one.shape != other.shape or one.dtype != other.dtype:
        return f"{one.dtype} {one.shape} is stored, and it is {other.dtype} {other.shape}"
    relative = TOLERANCE.get(str(one.dtype), 0.0)
    same = np.isclose(one, other, rtol=relative, atol=relative * 1e-3, equal_nan=True)
    if same.all():
        return ""
    wrong = np.flatnonzero(~same)
    if not stored.names:
        return f"{len(wrong)} of {one.size} values differ"
    first = int(wrong[0])
    return (
        f"{len(wrong)} of {one.size} features differ, such as {stored.names[first]}: "
        f"{one[first]:.6g} is stored, and it is {other[first]:.6g}"
    )
