"""Reading a case whose files may be replaced meanwhile; free of torch, as workers load it."""

from __future__ import annotations

from collections.abc import Mapping

from rdfc_core.case import Case, Needs, Tumour
from rdfc_core.extraction.fingerprints import prints_of

ATTEMPTS = 3
"""Whoever changes permissions, or links files for a backup, changes no content: read again."""


def loaded_at_rest(
    case: Case, needs: Mapping[str, Needs], fingerprints: Mapping[str, str]
) -> dict[str, Tumour] | None:
    """View → the case as it gets it, as it was when fingerprints were taken; or None.

    The files may have been replaced since then, or while they are read. A file that is replaced
    and put back in time has its old fingerprint again; what the system notes of it tells.

    Args:
        case: With a reader.
        needs: View → what it needs; files that none of them needs are not opened.
        fingerprints: View → what its result will be stored under.

    Raises:
        DataError: If the case cannot be read.
    """
    if case.simple:  # what any view of an image asks for is then the same
        needs = {view: Needs() if asked.plain else asked for view, asked in needs.items()}
    for _ in range(ATTEMPTS):
        before = case.file_states(needs.values())
        seen = case.load_each(needs)
        if prints_of(case, needs, {}) != fingerprints:
            return None
        if case.file_states(needs.values()) == before:
            return seen
    return None
