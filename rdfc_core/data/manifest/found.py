"""What is found in a folder: cases, and what could not be decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ONLY = ""
"""The name of a case's image where it has a single one, and of the mask that all images share."""


@dataclass(frozen=True)
class FoundCase:
    """One row of the list that is made.

    Args:
        case_id: Unique among the cases.
        images: Name → file; `ONLY` for the single image of a case.
        masks: Name of an image → its mask; `ONLY` for the mask of all of them.
        patient_id: Whose tumour it is, as far as the names say so.
        label: The class, where the place of a file or a table says so.
        columns: Whatever else is known, column → text.
    """

    case_id: str
    images: Mapping[str, Path]
    masks: Mapping[str, Path]
    patient_id: str | None = None
    label: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Doubt:
    """Something that is left out, since it would have to be guessed.

    Args:
        what: The file, or the id.
        why: What was found there.
        fix: What to do about it.
    """

    what: str
    why: str
    fix: str


@dataclass(frozen=True)
class Found:
    """Everything that was found.

    Args:
        cases: In the order of their ids.
        doubts: What is left out.
        notes: What was decided, in sentences.
    """

    cases: Sequence[FoundCase]
    doubts: Sequence[Doubt] = ()
    notes: Sequence[str] = ()
