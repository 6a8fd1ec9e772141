"""Reading a case whose files may be replaced meanwhile; free of torch, as workers load it."""

from __future__ import annotations

from collections.abc import Mapping

from rdfc_core.case import Case, LoadedCase, Needs, Tumour, file_states
from rdfc_core.extraction.fingerprints import Files

ATTEMPTS = 3
"""Whoever changes permissions, or links files for a backup, changes no content: read again."""


def seen_at_rest(
    case: Case, needs: Mapping[str, Needs], fingerprints: Mapping[str, str]
) -> dict[str, Tumour] | None:
    """What each view gets of the case as it was when its fingerprints were taken, or None.

    The files may have been replaced since then, or while they are read. A file that is replaced
    and put back in time has its old fingerprint again; what the system notes of it tells.

    Args:
        case: With a reader.
        needs: View name → what it needs.
        fingerprints: View name → what its result will be stored under.

    Raises:
        DataError: If the case cannot be read.
    """
    for _ in range(ATTEMPTS):
        before = file_states(case)
        loaded = LoadedCase(case)
        seen = {name: loaded.seen(asked) for name, asked in needs.items()}
        if _fingerprints(case, needs) != fingerprints:
            return None
        if file_states(case) == before:
            return seen
    return None


def _fingerprints(case: Case, needs: Mapping[str, Needs]) -> dict[str, str]:
    """View name → fingerprint of what it needs, taken once for all views of all that there is."""
    files: Files = {}
    plain = {name: case.simple and asked.plain for name, asked in needs.items()}
    distinct = {needs[name] for name in needs if not plain[name]}
    now = {asked: case.fingerprint(files, asked) for asked in distinct}
    whole = case.fingerprint(files) if any(plain.values()) else ""
    return {name: whole if plain[name] else now[needs[name]] for name in needs}
