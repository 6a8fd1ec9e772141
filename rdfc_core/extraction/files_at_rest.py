"""Reading a case whose files may be replaced meanwhile; free of torch, as workers load it."""

from __future__ import annotations

from rdfc_core.case import Case, Tumour

ATTEMPTS = 3
"""Whoever changes permissions, or links files for a backup, changes no content: read again."""


def loaded_at_rest(case: Case, fingerprint: str) -> Tumour | None:
    """The case as it was when its fingerprint was taken, or None.

    The files may have been replaced since then, or while they are read. A file that is replaced
    and put back in time has its old fingerprint again; what the system notes of it tells.

    Args:
        case: With a reader.
        fingerprint: What the result will be stored under.

    Raises:
        DataError: If the case cannot be read.
    """
    for _ in range(ATTEMPTS):
        before = case.file_states()
        tumour = case.load()
        if case.fingerprint() != fingerprint:
            return None
        if case.file_states() == before:
            return tumour
    return None
