"""What rdfc relies on in a `Dataset`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdfc_core.contract.listings import (
    require_cases,
    require_classes,
    require_labels,
    require_protocol,
)
from rdfc_core.contract.promises import require, require_kind, through_pickle
from rdfc_core.testing.assertions import conformance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdfc_core.case import Case
    from rdfc_core.interfaces import Dataset


@conformance
def check_dataset(dataset: Dataset, loaded: int = 3, listing: Path | None = None) -> None:
    """Check a data set that lies on disk: its listing, its split, and some of its cases.

    Args:
        dataset: Built with options that name real (small) files.
        loaded: How many of its cases are loaded, spread over the listing.
        listing: A list, or folder, of new cases as `Dataset.with_list` takes it for ``rdfc
            predict``; None: only that it refuses no list before it is read.

    Raises:
        AssertionError: If the listing changes between calls, ids are not unique, labels are not
            among the classes, listing opens images, another list changes the data set or gives its
            cases, cases cannot be pickled or loaded, the split
            names a column that cases do not have, or the published study names a data set.
    """
    from rdfc_core.interfaces import Dataset

    who = require_kind(dataset, Dataset)
    with _opened_files() as opened:
        cases = dataset.cases()
    _check_listing(who, cases, dataset)
    files = {
        str(path) for case in cases for name in case.images or ("",) for path in case.files_of(name)
    }
    touched = sorted(files & opened)
    require(
        not touched,
        f"{who}.cases() opened {touched[:1]}; list names only, images are read when a case is.",
    )
    require_classes(dataset.classes, who)
    require_labels(cases, dataset.classes, who)
    _check_protocol(who, cases, dataset)
    _check_problems(who, cases, dataset)
    _check_published(who, dataset)
    require(isinstance(dataset.citation, str), f"{who}.citation has to be a string.")
    _check_other_list(who, cases, dataset, listing)
    places = sorted({round(i * (len(cases) - 1) / max(1, loaded - 1)) for i in range(loaded)})
    for place in places:
        _check_case(who, cases[place])


def _check_listing(who: str, cases: Sequence[Case], dataset: Dataset) -> None:
    require(len(cases) > 0, f"{who}.cases() is empty: check it on options that name some files.")
    require_cases(cases, who)
    ids = [case.case_id for case in cases]
    twice = next((one for one, times in Counter(ids).items() if times > 1), None)
    require(twice is None, f"{who}: case_id {twice!r} occurs twice; make every case_id unique.")
    again = [case.case_id for case in dataset.cases()]
    require(
        ids == again,
        f"{who}.cases() came in another order the second time; sort it, since splits depend on it.",
    )


def _check_protocol(who: str, cases: Sequence[Case], dataset: Dataset) -> None:
    protocol = dataset.protocol()
    require_protocol(protocol, who)
    if protocol.kind == "column":
        for case in cases:
            part = case.columns.get(protocol.column)
            require(
                part in ("train", "test", "pretext"),
                f"{who}: the protocol splits by column {protocol.column!r}, which is {part!r} for "
                f"case {case.case_id}; it has to be train, test or pretext.",
            )


def _check_problems(who: str, cases: Sequence[Case], dataset: Dataset) -> None:
    from rdfc_core.interfaces import Problem

    for problem in dataset.problems():
        require(
            isinstance(problem, Problem) and problem.message and problem.fix,
            f"{who}.problems() gave {problem!r}; a Problem says what is wrong and how to fix it.",
        )


def _check_published(who: str, dataset: Dataset) -> None:
    from rdfc_core.interfaces import PublishedStudy

    published = dataset.published()
    require(
        published is None or isinstance(published, PublishedStudy),
        f"{who}.published() has to be a PublishedStudy, or None.",
    )
    require(
        published is None or "dataset" not in published.study,
        f"{who}.published() names a data set in its study; rdfc reproduce puts this one there.",
    )


def _check_other_list(
    who: str, cases: Sequence[Case], dataset: Dataset, listing: Path | None
) -> None:
    """The data set with another list is another object, with the cases of that list."""
    from rdfc_core.interfaces import Dataset

    other = dataset.with_list(listing or Path("no-such-folder/list.csv"))
    require(
        other is None or (isinstance(other, Dataset) and other is not dataset),
        f"{who}.with_list() gave {type(other).__name__}; give a new data set with the same "
        "options, or None where it comes from no list.",
    )
    own = [(case.case_id, case.image) for case in cases]
    require(
        [(case.case_id, case.image) for case in dataset.cases()] == own,
        f"{who}.with_list() changed the cases of the data set itself; leave it as it is.",
    )
    if listing is None:
        return
    require(
        other is not None,
        f"{who}.with_list({listing.name}) gave None, so that rdfc predict would read it as a plain "
        "list; implement it.",
    )
    assert other is not None
    new = other.cases()
    require_cases(new, who)
    require(
        [(case.case_id, case.image) for case in new] != own,
        f"{who}.with_list({listing.name}) lists the cases of the data set itself; list those of "
        "what is given.",
    )


def _check_case(who: str, case: Case) -> None:
    from rdfc_core.case import Needs
    from rdfc_core.data.readers.auto import AutoReader
    from rdfc_core.plugin.registry import installed

    who = f"{who}, case {case.case_id}"
    if case.reader is None:  # as a study does
        case = replace(case, reader=AutoReader.installed(installed()))
    copy = through_pickle(case, who)
    needs = Needs(tuple(case.images) or None, case.view_columns)
    tumour, again = case.load(needs), copy.load(needs)
    for one, other in zip(
        (tumour, *tumour.images.values()), (again, *again.images.values()), strict=True
    ):
        require(
            (one.image.array == other.image.array).all() and (one.mask == other.mask).all(),
            f"{who} loads differently in a worker; let its reader depend on options only.",
        )
    require(
        case.fingerprint() == copy.fingerprint(),
        f"{who} has another fingerprint at every call; make it depend on the content only.",
    )


_recorders: list[set[str]] = []


def _record(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str | Path):
        for recorder in _recorders:
            recorder.add(str(arguments[0]))


@cache
def _listen() -> None:
    sys.addaudithook(_record)  # it cannot be taken out again: put in once, when first needed


@contextmanager
def _opened_files() -> Iterator[set[str]]:
    """The paths that Python opens within the block."""
    _listen()
    recorder: set[str] = set()
    _recorders.append(recorder)
    try:
        yield recorder
    finally:
        _recorders.remove(recorder)
