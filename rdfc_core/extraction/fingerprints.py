"""What the files of cases are, and what each view needs of them: what results are stored under."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rdfc_core.case import Case, Needs
from rdfc_core.errors import DataError
from rdfc_core.extraction.failures import Failure
from rdfc_core.extraction.local_executor import usable_cores
from rdfc_core.extraction.needs import needs_of
from rdfc_core.interfaces.prepared import Preparer
from rdfc_core.utils.progress import Progress

Files = MutableMapping[tuple[int, Path], str]
"""(Reader's id, file) → fingerprint of the file, as `Case.fingerprint` takes it."""

WORTH_SHOWING = 100
"""Cases; to look at the files of fewer takes no time."""


def fingerprints(
    cases: Sequence[Case],
    progress: Progress,
    known: MutableMapping[str, str] | None = None,
    files: Files | None = None,
) -> tuple[dict[str, str], dict[str, Failure]]:
    """Case id → fingerprint of its content, and the cases whose files cannot be read.

    Args:
        cases: Each with a reader.
        progress: Told after each case.
        known: Case id → fingerprint that the same command has taken before: not taken again. Those
            that are taken are added.
        files: As of `Case.fingerprint`.
    """
    known = {} if known is None else known
    read: Files = {} if files is None else files

    def fingerprint(case: Case) -> str | Failure:
        try:
            return known.get(case.case_id) or case.fingerprint(read)
        except DataError as error:
            return Failure(case.case_id, str(error), fixable=True)

    prints: dict[str, str] = {}
    failures: dict[str, Failure] = {}
    if all(case.case_id in known for case in cases):
        return {case.case_id: known[case.case_id] for case in cases}, {}
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
                prints[case.case_id] = known[case.case_id] = found
            advance(1)
    return prints, failures


def view_fingerprints(
    cases: Sequence[Case],
    prints: Mapping[str, str],
    views: Mapping[str, Preparer],
    files: Files | None = None,
) -> tuple[dict[tuple[str, str], str], dict[str, Failure]]:
    """(Case id, view) → fingerprint of what the view needs; and the cases that do not have it.

    Args:
        cases: Each with a reader.
        prints: Case id → fingerprint of the whole case, of those whose files can be read.
        views: View name → what makes it.
        files: As of `Case.fingerprint`.
    """
    files = {} if files is None else files
    needs = {name: needs_of(view) for name, view in views.items()}
    found: dict[tuple[str, str], str] = {}
    unmet: dict[str, Failure] = {}
    for case in cases:
        case_id, whole = case.case_id, prints.get(case.case_id)
        if whole is None:
            continue
        own: dict[str, str] = {}
        for name, asked in needs.items():
            try:
                own |= prints_of(case, {name: asked}, files, whole)
            except DataError as error:
                reason = f"{error} The view {name!r} asks for it."
                unmet[case_id] = Failure(case_id, reason, fixable=True, view=name)
                break
        else:
            found |= {(case_id, name): own[name] for name in needs}
    return found, unmet


def prints_of(
    case: Case, needs: Mapping[str, Needs], files: Files, whole: str | None = None
) -> dict[str, str]:
    """View → fingerprint of what it needs of one case.

    Args:
        case: With a reader.
        needs: View → what it needs.
        files: As of `Case.fingerprint`.
        whole: Fingerprint of the whole case, where it has been taken.

    Raises:
        DataError: If the case does not have what is needed, or a file is missing.
    """
    taken: dict[Needs | None, str] = {} if whole is None else {None: whole}
    found = {}
    for name, asked in needs.items():
        key = None if case.simple and asked.plain else asked  # a view of all that there is
        if key not in taken:
            taken[key] = case.fingerprint(files, key)
        found[name] = taken[key]
    return found
